// The page: who is logged in, which part is shown (by the address behind #), language.
import {html, render, useState, useEffect} from './preact.js';
import {get, post, whenLoggedOut} from './api.js';
import {t, language, setLanguage} from './i18n.js';
import {Login} from './login.js';
import {Account} from './account.js';
import {Users, User} from './users.js';

function useHash() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const listen = () => setHash(location.hash);
    addEventListener('hashchange', listen);
    return () => removeEventListener('hashchange', listen);
  }, []);
  return hash;
}

function Part({hash, me, may, reload}) {
  const user = hash.match(/^#\/users\/(.+)$/);
  let name = null;
  try {
    name = user && decodeURIComponent(user[1]);
  } catch { /* no such user */ }
  if (hash.startsWith('#/me') || !may.has('user.list'))
    return html`<${Account} me=${me} reload=${reload} />`;
  return name ? html`<${User} key=${name} name=${name} may=${may} />` : html`<${Users} may=${may} />`;
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
        setNote(t('noAnswer'));
    }
  };
  useEffect(() => {
    whenLoggedOut(path => { if (path !== '/me') { setMe(null); setNote(t('over')); } });
    load();
  }, []);
  document.title = t('title');
  const logout = async () => {
    try {
      await post('/logout');
    } catch { /* it was over already */ }
    location.hash = '';
    setMe(null);
    setNote('');
  };
  const may = new Set(me ? me.may : []);
  const current = part => (hash.startsWith('#/me') === (part === 'me') ? 'page' : undefined);
  return html`<div><a class="skip" href="#main" onClick=${e => { e.preventDefault(); document.getElementById('main').focus(); }}>${t('skip')}</a>
    <header><strong>${t('title')}</strong>
      ${me && html`<nav aria-label="PRA">
        ${may.has('user.list') && html`<a href="#/users" aria-current=${current('users')}>${t('users')}</a>`}
        <a href="#/me" aria-current=${current('me')}>${t('me')}</a></nav>`}
      <span class="end"><${Language} onChange=${() => redraw(n => n + 1)} />
      ${me && html`<button onClick=${logout}>${t('logout')}</button>`}</span></header>
    ${me === undefined ? html`<main id="main"><p role="status" class="quiet">${t('loading')}</p></main>`
      : me === null ? html`<${Login} onDone=${load} note=${note} />`
      : html`<main id="main" tabindex="-1"><${Part} hash=${hash} me=${me} may=${may} reload=${load} /></main>`}</div>`;
}

setLanguage(language());
render(html`<${App} />`, document.getElementById('app'));
