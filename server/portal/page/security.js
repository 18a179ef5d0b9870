// One's own ways in beside the password: passkeys, and API tokens for programs.
import {html, useState} from './preact.js';
import {api, del, get, post} from './api.js';
import {t, when} from './i18n.js';
import {Act, Field, Form, Loaded, useAction, useData} from './ui.js';
import {passkeysWork, registerPasskey} from './webauthn.js';

// Recovery codes, shown this once.
export function Codes({codes, onRead}) {
  return html`<div role="status"><h3>${t('recovery')}</h3><p>${t('recoveryHint')}</p>
    <ul class="codes">${codes.map(c => html`<li><code>${c}</code></li>`)}</ul>
    <button class="primary" onClick=${onRead}>${t('written')}</button></div>`;
}

/* ---- passkeys ---- */

// One row: its name can be changed where it stands.
function Passkey({passkey, again, reload}) {
  const [name, setName] = useState(null);
  const [password, setPassword] = useState(null);
  const rename = useAction(async () => {
    await api('PATCH', '/me/passkeys/' + passkey.id, {name});
    setName(null);
    await again();
  });
  const remove = useAction(async () => {
    await post(`/me/passkeys/${passkey.id}/remove`, {password});
    await again();
    reload();
  });
  return html`<li class="entry"><p class="buttons"><strong>${passkey.name}</strong>
      <span class="quiet">${passkey.host}</span><span class="quiet">${t('lastUsed')}: ${when(passkey.used)}</span>
      <button aria-label=${`${t('rename')}: ${passkey.name}`} onClick=${() => setName(name === null ? passkey.name : null)}>${t('rename')}</button>
      <button class="danger" aria-label=${`${t('delete')}: ${passkey.name}`} onClick=${() => setPassword(password === null ? '' : null)}>${t('delete')}</button></p>
    ${name !== null && html`<${Form} action=${rename} button=${t('save')} className="form row">
      <${Field} label=${t('passkeyName')} value=${name} onInput=${setName} autocomplete="off" required /><//>`}
    ${password !== null && html`<${Form} action=${remove} button=${t('delete')} className="form row">
      <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required /><//>`}</li>`;
}

function AddPasskey({onDone}) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const action = useAction(async () => {
    const answer = await registerPasskey(name, password);
    setName('');
    setPassword('');
    onDone(answer['recovery-codes']);
  });
  return html`<${Form} action=${action} button=${t('addPasskey')} className="form row">
    <${Field} label=${t('passkeyName')} hint=${t('passkeyNameHint')} value=${name} onInput=${setName} autocomplete="off" required />
    <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required /><//>`;
}

export function Passkeys({me, reload}) {
  const state = useData(() => get('/me/passkeys'), me.name);
  const [codes, setCodes] = useState(null);
  const added = async list => {
    setCodes(list || null);
    await state.again();
    if (!list)
      reload();
  };
  return html`<section class="card"><h2>${t('passkeys')}</h2><p>${t('passkeysHint')}</p>
    ${codes ? html`<${Codes} codes=${codes} onRead=${() => { setCodes(null); reload(); }} />` : html`<div>
      <${Loaded} state=${state}>${list => (list.length === 0 ? html`<p class="empty">${t('noPasskeys')}</p>`
        : html`<ul class="entries">${list.map(p => html`<${Passkey} key=${p.id} passkey=${p} again=${state.again} reload=${reload} />`)}</ul>`)}<//>
      ${passkeysWork() ? html`<${AddPasskey} onDone=${added} />` : html`<p class="quiet">${t('passkeysNotHere')}</p>`}</div>`}</section>`;
}

/* ---- API tokens ---- */

const SCOPES = [['read', 'me'], ['users', 'user.add'], ['rules', 'rule.add'], ['sessions', 'session.kill']];
const DAYS = [30, 90, 365];

function AddToken({me, onToken}) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(['read']);
  const [days, setDays] = useState(90);
  const [password, setPassword] = useState('');
  const may = SCOPES.filter(([, op]) => me.may.includes(op)).map(([word]) => word);
  const toggle = word => setScopes(old => (old.includes(word) ? old.filter(w => w !== word) : [...old, word]));
  const action = useAction(async () => {
    onToken(await post('/me/tokens', {name, scopes: scopes.join(' '), days, password}));
    setName('');
    setPassword('');
  });
  return html`<${Form} action=${action} button=${t('addToken')}>
    <${Field} label=${t('tokenName')} hint=${t('tokenNameHint')} value=${name} onInput=${setName} autocomplete="off" autocapitalize="none" required />
    <fieldset><legend>${t('scopes')}</legend>${may.map(word => html`<label class="check"><input type="checkbox"
      checked=${scopes.includes(word)} onChange=${() => toggle(word)} /> ${t('scope_' + word)}</label>`)}</fieldset>
    <${Field} label=${t('tokenDays')}>${id => html`<select id=${id} value=${days} onChange=${e => setDays(Number(e.target.value))}>
      ${DAYS.map(d => html`<option value=${d}>${t('days', d)}</option>`)}</select>`}<//>
    <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required /><//>`;
}

export function Tokens({me}) {
  const state = useData(() => get('/me/tokens'), me.name);
  const [made, setMade] = useState(null);
  const added = async token => { setMade(token); await state.again(); };
  return html`<section class="card"><h2>${t('tokens')}</h2><p>${t('tokensHint')}</p>
    ${made && html`<div class="card once" role="status"><h3>${t('tokenMade', made.name)}</h3><p><code class="secret">${made.token}</code></p>
      <p>${t('tokenOnce')}</p><button class="primary" onClick=${() => setMade(null)}>${t('written')}</button></div>`}
    <${Loaded} state=${state}>${list => (list.length === 0 ? html`<p class="empty">${t('noTokens')}</p>` : html`<div class="scroll"><table>
      <thead><tr>${['tokenName', 'scopes', 'expires', 'lastUsed', 'source'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
      <tbody>${list.map(k => html`<tr key=${k.id}><th scope="row">${k.name}</th><td>${k.scopes.map(s => t('scope_' + s)).join(', ')}</td>
        <td class=${k.state === 'expired' ? 'bad' : ''}>${k.state === 'expired' ? '× ' : ''}${when(k.expires)}</td><td>${when(k.used)}</td><td>${k.source || ''}</td>
        <td><${Act} label=${t('revokeToken')} name=${k.name} danger ask=${t('sureToken', k.name)}
          act=${async () => { await del('/me/tokens/' + k.id); await state.again(); }} /></td></tr>`)}</tbody></table></div>`)}<//>
    <details><summary>${t('addToken')}</summary><${AddToken} me=${me} onToken=${added} /></details></section>`;
}
