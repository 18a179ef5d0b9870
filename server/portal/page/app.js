// The page: who is logged in, which part is shown (by the address behind #), language.
import {html, render, useState, useEffect, useRef} from './preact.js';
import {get, post, whenLoggedOut} from './api.js';
import {t, errorText, language, setLanguage} from './i18n.js';
import {Login} from './login.js';
import {Access} from './access.js';
import {Account} from './account.js';
import {Users, User} from './users.js';
import {AccountPage, Accounts} from './accounts.js';
import {Dashboard} from './dashboard.js';
import {Device, Devices} from './devices.js';
import {Enrollments} from './enroll.js';
import {Group, Groups} from './groups.js';
import {Alerts} from './alerts.js';
import {Audit} from './audit.js';
import {Live, Session} from './live.js';
import {Mail} from './mail.js';
import {LogPage, Logs} from './logs.js';
import {PortCheck} from './portcheck.js';
import {Reports} from './reports.js';
import {Sheet} from './sheet.js';

function useHash() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const listen = () => setHash(location.hash);
    addEventListener('hashchange', listen);
    return () => removeEventListener('hashchange', listen);
  }, []);
  return hash;
}

// The parts of the page: name in the address, the operation that one must be allowed, what it is called.
// Where the name in the address is no word of its own.
const LABELS = {mail: 'mailPage'};
const label = part => t(LABELS[part] || part);
const PARTS = [['dashboard', 'live'], ['live', 'live'], ['users', 'user.list'], ['groups', 'group.list'], ['devices', 'key.list'], ['enroll', 'enroll.list'], ['logs', 'log.list'], ['ports', 'port.trouble'],
  ['alerts', 'alert.list'], ['audit', 'audit.list'], ['reports', 'report'], ['accounts', 'account.list'], ['access', 'access.list'], ['mail', 'mail.list'],
  ['me', 'me']];

// "#/users/suzuki" -> ['users', 'suzuki'].
function readHash(hash) {
  const [, where = '', name] = hash.match(/^#\/([a-z]+)(?:\/(.+))?$/) || [];
  try {
    return [where, name && decodeURIComponent(name)];
  } catch {
    return [where];
  }
}

function Part({where, name, me, may, reload, onOver}) {
  switch (where) {
    case 'dashboard':
      return html`<${Dashboard} may=${may} onOver=${onOver} />`;
    case 'access':
      return html`<${Access} />`;
    case 'groups':
      return name ? html`<${Group} key=${name} name=${name} may=${may} />` : html`<${Groups} may=${may} />`;
    case 'devices':
      return name ? html`<${Device} key=${name} name=${name} may=${may} />` : html`<${Devices} may=${may} />`;
    case 'alerts':
      return html`<${Alerts} may=${may} />`;
    case 'audit':
      return html`<${Audit} key=${name} name=${name} may=${may} />`;
    case 'ports':
      return html`<${PortCheck} />`;
    case 'logs':
      return name ? html`<${LogPage} key=${name} id=${name} may=${may} />` : html`<${Logs} />`;
    case 'enroll':
      return html`<${Enrollments} may=${may} />`;
    case 'accounts':
      return name ? html`<${AccountPage} key=${name} name=${name} me=${me} />` : html`<${Accounts} me=${me} />`;
    case 'reports':
      return html`<${Reports} me=${me} />`;
    case 'mail':
      return html`<${Mail} />`;
    case 'sheet':
      return html`<${Sheet} key=${name} name=${name} />`;
    case 'live':
      return name ? html`<${Session} key=${name} id=${name} may=${may} />` : html`<${Live} may=${may} onOver=${onOver} />`;
    case 'users':
      return name ? html`<${User} key=${name} name=${name} may=${may} />` : html`<${Users} may=${may} />`;
    default:
      return html`<${Account} me=${me} reload=${reload} />`;
  }
}

function Language({onChange}) {
  return html`<button class="link" lang=${language() === 'ja' ? 'en' : 'ja'}
    onClick=${() => { setLanguage(language() === 'ja' ? 'en' : 'ja'); onChange(); }}>${t('language')}</button>`;
}

function App() {
  const [me, setMe] = useState(undefined); // undefined: not known yet; null: nobody
  const [note, setNote] = useState('');
  const [, redraw] = useState(0);
  const hash = useHash();
  const load = async () => {
    try {
      setMe(await get('/me'));
      setNote('');
    } catch (e) {
      setMe(null);
      if (e.code !== 'not-logged-in')
        setNote(e.code === 'address-refused' ? errorText(e) : t('noAnswer'));
    }
  };
  useEffect(() => {
    whenLoggedOut(path => path === '/me' || onOver());
    load();
  }, []);
  const onOver = () => { setMe(null); setNote(t('over')); };
  const may = new Set(me ? me.may : []);
  const parts = PARTS.filter(([, op]) => may.has(op)).map(([part]) => part);
  let [where, name] = readHash(hash);
  if (!parts.includes(where) && !(where === 'sheet' && may.has('profile')))
    [where, name] = [parts[0]];
  // What was chosen, or the log-in, has gone: whoever uses the keyboard or listens goes on at the new part.
  const place = useRef('');
  useEffect(() => {
    const now = me ? `${where}/${name || ''}` : '';
    if (now && now !== place.current)
      document.getElementById('main').focus();
    place.current = now;
  });
  document.title = me ? `${label(where === 'sheet' ? 'users' : where)} - ${t('title')}` : t('title');
  const link = p => html`<a href=${'#/' + p} aria-current=${p === where ? 'page' : undefined}>${label(p)}</a>`;
  const logout = async () => {
    try {
      await post('/logout');
    } catch { /* it was over already */ }
    location.hash = '';
    setMe(null);
    setNote('');
  };
  return html`<div><a class="skip" href="#main" onClick=${e => { e.preventDefault(); document.getElementById('main').focus(); }}>${t('skip')}</a>
    <header><strong>${t('title')}</strong>
      <span class="end">${parts.includes('me') && link('me')}
        <${Language} onChange=${() => redraw(n => n + 1)} />
        ${me && html`<button onClick=${logout}>${t('logout')}</button>`}</span>
      ${parts.length > 1 && html`<nav aria-label="PRA">${parts.filter(p => p !== 'me').map(link)}</nav>`}</header>
    ${me === undefined ? html`<main id="main"><p role="status" class="quiet">${t('loading')}</p></main>`
      : me === null ? html`<${Login} onDone=${load} note=${note} />`
      : html`<main id="main" tabindex="-1"><${Part} ...${{where, name, me, may, reload: load, onOver}} /></main>`}</div>`;
}

setLanguage(language());
render(html`<${App} />`, document.getElementById('app'));
