// Accounts of this tool: who may administer, and with which role.
import {html, useState} from './preact.js';
import {api, get, post, part} from './api.js';
import {t, when} from './i18n.js';
import {Act, Field, Form, Loaded, Pager, useAction, useData, usePaged} from './ui.js';

export const ROLES = ['owner', 'admin', 'helpdesk', 'engineer', 'auditor'];
const DAY_MS = 86400e3;
const TEMPORARY_DAYS = 14;

function Role({value, onChange}) {
  return html`<${Field} label=${t('role')} hint=${t('roleHint_' + value)}>${id => html`<select id=${id} value=${value} onChange=${e => onChange(e.target.value)}>
    ${ROLES.map(r => html`<option value=${r}>${t('role_' + r)}</option>`)}</select>`}<//>`;
}

// The code that sets the password: shown this once.
function Code({account, onRead}) {
  if (account['setup-mailed'])
    return html`<div class="card once" role="status"><p>${t('codeMailed', account.name, account['setup-mailed'], when(account['setup-expires']))}</p>
      <button class="primary" onClick=${onRead}>${t('close')}</button></div>`;
  return html`<div class="card once" role="status"><h2>${t('setupFor', account.name)}</h2>
    <p><code class="secret">${account['setup-code']}</code></p>
    <p>${t('setupHow', location.origin, when(account['setup-expires']))}</p>
    <button class="primary" onClick=${onRead}>${t('written')}</button></div>`;
}

function Add({again, onCode}) {
  const empty = {name: '', role: 'helpdesk', 'full-name': '', mail: ''};
  const [account, setAccount] = useState(empty);
  const [temporary, setTemporary] = useState(false);
  const [send, setSend] = useState(false);
  const set = member => value => setAccount(old => ({...old, [member]: value}));
  const action = useAction(async () => {
    const filled = Object.fromEntries(Object.entries(account).filter(([, v]) => v !== ''));
    if (temporary)
      filled.expires = new Date(Date.now() + TEMPORARY_DAYS * DAY_MS).toISOString().slice(0, 19) + 'Z';
    onCode(await post('/accounts', {...filled, send: send && filled.mail !== undefined}));
    setAccount(empty);
    await again();
  });
  return html`<section class="card"><h2>${t('inviteAccount')}</h2><${Form} action=${action} button=${t('invite')} className="form row">
    <${Field} label=${t('account')} value=${account.name} onInput=${set('name')} autocapitalize="none" autocomplete="off" required />
    <${Field} label=${t('fullName')} value=${account['full-name']} onInput=${set('full-name')} autocomplete="off" />
    <${Field} label=${t('mail')} type="email" value=${account.mail} onInput=${set('mail')} autocomplete="off" />
    <${Role} value=${account.role} onChange=${set('role')} />
    <label class="check"><input type="checkbox" checked=${temporary} onChange=${e => setTemporary(e.target.checked)} /> ${t('temporary')}</label>
    <label class="check"><input type="checkbox" checked=${send} disabled=${account.mail === ''} onChange=${e => setSend(e.target.checked)} /> ${t('sendCode')}</label>
  <//></section>`;
}

const STATES = {active: 'good', invited: 'quiet', 'not-activated': 'bad', disabled: 'bad', expired: 'bad'};

export function Accounts({me}) {
  const state = usePaged('/accounts');
  const [code, setCode] = useState(null);
  return html`<div><h1>${t('accounts')}</h1>
    ${code && html`<${Code} account=${code} onRead=${() => setCode(null)} />`}
    <${Field} label=${t('search')} type="search" value=${state.text} onInput=${state.search} />
    <${Loaded} state=${state}>${({rows: list}) => html`<div class="scroll"><table><thead><tr>
      ${['account', 'fullName', 'role', 'state', 'twoStep', 'lastLogin', 'expires'].map(k => html`<th scope="col">${t(k)}</th>`)}</tr></thead>
      <tbody>${list.map(a => html`<tr key=${a.id}><th scope="row"><a href=${'#/accounts/' + part(a.name)}>${a.name}</a>${a.name === me.name && html`<small>${t('thisIsYou')}</small>`}</th>
        <td>${a['full-name']}</td><td>${t('role_' + a.role)}</td><td class=${STATES[a.state]}>${t('account_' + a.state)}</td>
        <td>${t(a['two-step'] ? 'twoStepOn' : 'twoStepOff')}</td><td>${when(a['last-login'])}</td><td>${a.expires ? when(a.expires) : t('noExpiry')}</td></tr>`)}</tbody></table></div>`}<//><${Pager} list=${state} />
    <${Add} again=${state.again} onCode=${setCode} /></div>`;
}

/* ---- one account ---- */

function Edit({account, again}) {
  const [role, setRole] = useState(account.role);
  const [name, setName] = useState(account['full-name'] || '');
  const [mail, setMail] = useState(account.mail || '');
  const [day, setDay] = useState((account.expires || '').slice(0, 10));
  const [saved, setSaved] = useState(false);
  const action = useAction(async () => {
    setSaved(false);
    const expires = day === (account.expires || '').slice(0, 10) ? {} : {expires: day && day + 'T23:59:59Z'};
    await api('PATCH', '/accounts/' + part(account.name), {role, 'full-name': name, mail, ...expires});
    setSaved(true);
    await again();
  });
  return html`<section class="card"><h2>${t('profile')}</h2><${Form} action=${action} button=${t('save')} className="form row">
    <${Role} value=${role} onChange=${setRole} />
    <${Field} label=${t('fullName')} value=${name} onInput=${setName} autocomplete="off" />
    <${Field} label=${t('mail')} type="email" value=${mail} onInput=${setMail} autocomplete="off" />
    <${Field} label=${t('expires')} type="date" hint=${t('expiresHint')} value=${day} onInput=${setDay} />
  <//>${saved && html`<p class="alert good" role="status">${t('saved')}</p>`}</section>`;
}

export function AccountPage({name, me}) {
  const state = useData(async () => (await get('/accounts?name=' + part(name)))[0] || null, name);
  const [code, setCode] = useState(null);
  const change = verb => async () => { await post(`/accounts/${part(name)}/${verb}`); await state.again(); };
  const reissue = send => async () => { setCode(await post(`/accounts/${part(name)}/reissue`, {send})); await state.again(); };
  const remove = async () => { await api('DELETE', '/accounts/' + part(name)); location.hash = '#/accounts'; };
  return html`<div><p><a href="#/accounts">← ${t('accounts')}</a></p>
    ${code && html`<${Code} account=${code} onRead=${() => setCode(null)} />`}
    <${Loaded} state=${state}>${a => (a === null ? html`<p class="empty">${t('noAccount')}</p>` : html`<div>
      <h1>${a.name} ${a['full-name'] && html`<small>${a['full-name']}</small>`}</h1>
      <p class="buttons"><strong class=${STATES[a.state]}>${t('account_' + a.state)}</strong><span>${t('twoStep')}: ${t(a['two-step'] ? 'twoStepOn' : 'twoStepOff')}</span></p>
      <p class="buttons">
        <${Act} label=${t('reissue')} ask=${t('sureReissue', name)} act=${reissue(false)} />
        ${a.mail && html`<${Act} label=${t('reissueMail')} ask=${t('sureReissue', name)} act=${reissue(true)} />`}
        ${a['two-step'] && html`<${Act} label=${t('resetSecond')} ask=${t('sureResetSecond', name)} act=${change('reset')} />`}
        ${a.name !== me.name && (a.state === 'disabled' ? html`<${Act} label=${t('enable')} act=${change('enable')} />`
          : html`<${Act} label=${t('disable')} danger ask=${t('sureDisableAccount', name)} act=${change('disable')} />`)}
        ${a.name !== me.name && html`<${Act} label=${t('deleteAccount')} danger ask=${t('sureDeleteAccount', name)} act=${remove} />`}</p>
      <${Edit} key=${a.id} account=${a} again=${state.again} /></div>`)}<//></div>`;
}
