// The list of users, and one user's page: keys and rules.
import {html, useState} from './preact.js';
import {api, get, post, del, part} from './api.js';
import {t, when} from './i18n.js';
import {Alert, Field, Form, Loaded, Pager, useAction, useData, usePaged} from './ui.js';

export const href = name => '#/users/' + part(name);

/* ---- the list ---- */

function AddUser({again}) {
  const [name, setName] = useState('');
  const [full, setFull] = useState('');
  const action = useAction(async () => {
    await post('/users', {name, 'full-name': full});
    setName('');
    setFull('');
    await again();
  });
  return html`<section class="card"><h2>${t('addUser')}</h2>
    <${Form} action=${action} button=${t('addUser')} className="form row">
      <${Field} label=${t('name')} hint=${t('nameHint')} value=${name} onInput=${setName} autocapitalize="none" autocomplete="off" required />
      <${Field} label=${t('fullName')} value=${full} onInput=${setFull} autocomplete="off" />
    <//></section>`;
}

function Table({users}) {
  return html`<div class="scroll"><table>
    <thead><tr>${['name', 'fullName', 'state', 'groups', 'keys', 'rules'].map(k =>
      html`<th scope="col" class=${k === 'keys' || k === 'rules' ? 'number' : undefined}>${t(k)}</th>`)}</tr></thead>
    <tbody>${users.map(u => html`<tr key=${u.id}>
      <th scope="row"><a href=${href(u.name)}>${u.name}</a></th><td>${u['full-name']}</td>
      <td class=${u.enabled ? 'good' : 'bad'}>${t(u.enabled ? 'enabled' : 'disabled')}</td>
      <td>${u.groups.join(', ')}</td><td class="number">${u.keys}</td><td class="number">${u.rules}</td></tr>`)}</tbody></table></div>`;
}

export function Users({may}) {
  const list = usePaged('/users');
  return html`<div><h1>${t('users')}</h1>
    <${Field} label=${t('search')} type="search" value=${list.text} onInput=${list.search} />
    <${Loaded} state=${list}>${({rows}) => rows.length > 0 ? html`<${Table} users=${rows} />`
      : html`<p class="empty">${t(list.text ? 'noMatch' : 'noUsers')}</p>`}<//>
    <${Pager} list=${list} />
    ${may.has('user.add') && html`<${AddUser} again=${list.again} />`}</div>`;
}

/* ---- one user ---- */

// A button that asks first, when there is a question, and shows what went wrong beside itself.
function Act({label, ask, act, name, danger}) {
  const action = useAction(async () => {
    if (!ask || confirm(ask))
      await act();
  });
  return html`<span><button class=${danger ? 'danger' : ''} aria-label=${name ? `${label}: ${name}` : undefined}
    disabled=${action.busy} onClick=${action.run}>${label}</button><${Alert} error=${action.error} /></span>`;
}

function AddKey({user, again}) {
  const [line, setLine] = useState('');
  const action = useAction(async () => {
    await post('/keys', {user, line: line.trim()});
    setLine('');
    await again();
  });
  const read = async e => e.target.files[0] && setLine((await e.target.files[0].slice(0, 20000).text()).trim());
  return html`<details><summary>${t('addKey')}</summary>
    <${Form} action=${action} button=${t('addKey')}>
      <${Field} label=${t('keyFile')}>${id => html`<input id=${id} type="file" onChange=${read} />`}<//>
      <${Field} label=${t('keyLine')} wide>${id => html`<textarea id=${id} rows="3" required value=${line}
        onInput=${e => setLine(e.target.value)} spellcheck="false"></textarea>`}<//>
    <//></details>`;
}

function Keys({user, may}) {
  const state = useData(() => get('/keys?user=' + part(user)), user);
  const revoke = k => async () => { await post('/keys/revoke', {fingerprint: k.fingerprint, user}); await state.again(); };
  return html`<section class="card"><h2>${t('keys')}</h2><${Loaded} state=${state}>${keys => keys.length === 0
    ? html`<p class="empty">${t('noKeys')}</p>`
    : html`<div class="scroll"><table><thead><tr>
        ${['fingerprint', 'comment', 'state', 'binding', 'seen'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
      <tbody>${keys.map(k => html`<tr key=${k.id}><th scope="row"><code>${k.fingerprint}</code></th><td>${k.comment}</td>
        <td class=${k.state === 'active' ? 'good' : 'bad'}>${t(k.state)}</td>
        <td>${k.binding === 'bound' || k.binding === 'weak' ? t(k.binding) : t('unknown')}</td><td>${when(k.seen)}</td>
        <td>${may.has('key.revoke') && k.state === 'active' &&
          html`<${Act} label=${t('revoke')} name=${k.comment} danger ask=${t('sureRevoke')} act=${revoke(k)} />`}</td></tr>`)}</tbody></table></div>`}<//>
    ${may.has('key.add') && html`<${AddKey} user=${user} again=${state.again} />`}</section>`;
}

function AddRule({user, again}) {
  const empty = {name: '', target: '', local: '', hours: '', action: 'allow'};
  const [rule, setRule] = useState(empty);
  const set = member => value => setRule(old => ({...old, [member]: value}));
  const action = useAction(async () => {
    await post('/rules', {user, ...Object.fromEntries(Object.entries(rule).filter(([, v]) => v !== ''))});
    setRule(empty);
    await again();
  });
  return html`<details><summary>${t('addRule')}</summary><p class="quiet">${t('fixedPorts')}</p>
    <${Form} action=${action} button=${t('addRule')} className="form row">
      <${Field} label=${t('ruleName')} value=${rule.name} onInput=${set('name')} autocomplete="off" required />
      <${Field} label=${t('target')} value=${rule.target} onInput=${set('target')} placeholder="mail.example.com:110" autocomplete="off" required />
      <${Field} label=${t('local')} value=${rule.local} onInput=${set('local')} placeholder="110" autocomplete="off" />
      <${Field} label=${t('hours')} hint=${t('hoursHint')} value=${rule.hours} onInput=${set('hours')} autocomplete="off" />
      <${Field} label=${t('action')}>${id => html`<select id=${id} value=${rule.action} onChange=${e => set('action')(e.target.value)}>
        <option value="allow">${t('allow')}</option><option value="deny">${t('deny')}</option></select>`}<//>
    <//></details>`;
}

function Explain({user}) {
  const [target, setTarget] = useState('');
  const [found, setFound] = useState(null);
  const action = useAction(async () => {
    setFound(null);
    setFound(await get(`/explain?user=${part(user)}&target=${part(target)}`));
  });
  return html`<details><summary>${t('explain')}</summary>
    <${Form} action=${action} button=${t('check')} className="form row">
      <${Field} label=${t('target')} value=${target} onInput=${setTarget} autocomplete="off" required />
    <//>
    <p role="status">${found && html`<strong class=${found.decision === 'allow' ? 'good' : 'bad'}>
      ${found.decision === 'allow' ? t('allow') : found.decision === 'deny' ? t('deny') : t('unknown')}</strong> ${found.sentence}`}</p></details>`;
}

function Rules({user, may}) {
  const state = useData(() => get('/rules?user=' + part(user)), user);
  const move = (r, by) => async () => { await post(`/rules/${r.id}/move`, {position: r.position + by}); await state.again(); };
  const remove = r => async () => { await del('/rules/' + r.id); await state.again(); };
  const row = (r, i, all) => html`<tr key=${r.id}><td class="number">${r.position}</td><th scope="row">${r.name}</th>
    <td class=${r.action === 'allow' ? 'good' : 'bad'}>${t(r.action)}</td><td><code>${r.target}</code></td>
    <td><code>${r.local}</code></td><td>${r.hours}</td><td class="buttons">
    ${may.has('rule.move') && i > 0 && html`<${Act} label=${t('up')} name=${r.name} act=${move(r, -1)} />`}
    ${may.has('rule.move') && i < all.length - 1 && html`<${Act} label=${t('down')} name=${r.name} act=${move(r, 1)} />`}
    ${may.has('rule.delete') && html`<${Act} label=${t('remove')} name=${r.name} danger ask=${t('sureRule', r.name)} act=${remove(r)} />`}</td></tr>`;
  return html`<section class="card"><h2>${t('rules')}</h2><p class="quiet">${t('order')}</p><${Loaded} state=${state}>${rules =>
    rules.length === 0 ? html`<p class="empty">${t('noRules')}</p>`
      : html`<div class="scroll"><table><thead><tr>${['position', 'ruleName', 'action', 'target', 'local', 'hours'].map(k =>
        html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead><tbody>${rules.map(row)}</tbody></table></div>`}<//>
    ${may.has('rule.add') && html`<${AddRule} user=${user} again=${state.again} />`}
    ${may.has('explain') && html`<${Explain} user=${user} />`}</section>`;
}

export function User({name, may}) {
  const state = useData(async () => (await get('/users?name=' + part(name)))[0] || null, name);
  const change = verb => async () => { await post(`/users/${part(name)}/${verb}`); await state.again(); };
  const remove = async () => { await api('DELETE', '/users/' + part(name)); location.hash = '#/users'; };
  return html`<div><p><a href="#/users">← ${t('users')}</a></p><${Loaded} state=${state}>${u => u === null
    ? html`<p class="empty">${t('noMatch')}</p>`
    : html`<h1>${u.name} ${u['full-name'] && html`<small>${u['full-name']}</small>`}</h1>
      <p class="buttons"><strong class=${u.enabled ? 'good' : 'bad'}>${t(u.enabled ? 'enabled' : 'disabled')}</strong>
      ${u.groups.length > 0 && html`<span>${t('groups')}: ${u.groups.join(', ')}</span>`}
      ${may.has('user.disable') && (u.enabled
        ? html`<${Act} label=${t('disable')} danger ask=${t('sureDisable', name)} act=${change('disable')} />`
        : html`<${Act} label=${t('enable')} act=${change('enable')} />`)}
      ${may.has('user.delete') && html`<${Act} label=${t('deleteUser')} danger ask=${t('sureDelete', name)} act=${remove} />`}</p>
      <${Keys} user=${name} may=${may} /><${Rules} user=${name} may=${may} />`}<//></div>`;
}
