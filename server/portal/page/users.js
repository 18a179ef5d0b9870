// The list of users, and one user's page: keys and rules.
import {html, useState} from './preact.js';
import {api, ask, get, post, part, watch} from './api.js';
import {t, ago, language, when} from './i18n.js';
import {Act, Alert, Field, Form, Loaded, Pager, save, useAction, useData, usePaged} from './ui.js';
import {KeyTable, UserClone} from './devices.js';
import {EnrollCard} from './enroll.js';
import {FactorCard} from './factor.js';
import {sessionHref} from './live.js';
import {LimitCard} from './limits.js';
import {LogCard} from './logs.js';
import {Rules} from './rules.js';
import {Tables} from './tables.js';

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
    ${may.has('user.add') && html`<${AddUser} again=${list.again} />`}
    ${may.has('user.export') && html`<${Tables} may=${may} done=${list.again} />`}</div>`;
}

/* ---- one user ---- */

function AddKey({user, again}) {
  const [line, setLine] = useState('');
  const [warnings, setWarnings] = useState([]);
  const action = useAction(async () => {
    setWarnings((await ask('POST', '/keys', {user, line: line.trim()})).warnings || []);
    setLine('');
    await again();
  });
  const read = async e => e.target.files[0] && setLine((await e.target.files[0].slice(0, 20000).text()).trim());
  return html`<details><summary>${t('addKey')}</summary>
    ${warnings.map(w => html`<p class="alert warn" role="status">△ ${w}</p>`)}
    <${Form} action=${action} button=${t('addKey')}>
      <${Field} label=${t('keyFile')}>${id => html`<input id=${id} type="file" onChange=${read} />`}<//>
      <${Field} label=${t('keyLine')} wide>${id => html`<textarea id=${id} rows="3" required value=${line}
        onInput=${e => setLine(e.target.value)} spellcheck="false"></textarea>`}<//>
    <//></details>`;
}

function Keys({owner, may, changed}) {
  const user = owner.name;
  const state = useData(() => get('/keys?user=' + part(user)), user);
  return html`<section class="card"><h2>${t('keys')}</h2><${Loaded} state=${state}>${keys => (keys.length === 0
    ? html`<p class="empty">${t('noKeys')}</p>` : html`<${KeyTable} keys=${keys} user=${user} may=${may} again=${state.again} />`)}<//>
    <${UserClone} user=${owner} may=${may} again=${changed} />
    ${may.has('key.add') && html`<${AddKey} user=${user} again=${state.again} />`}
    ${may.has('enroll.list') && html`<${EnrollCard} user=${user} may=${may} onKey=${state.again} />`}</section>`;
}

// What the helpdesk asks first: is he connected, what went wrong lately.
function State({user, may}) {
  const live = useData(() => watch('/live?user=' + part(user)), user);
  const trouble = useData(() => watch(`/users/${part(user)}/trouble?lang=${language()}`), user + language());
  return html`<section class="card"><h2>${t('state')}</h2>
    <${Loaded} state=${live}>${({sessions}) => (sessions.length === 0 ? html`<p class="quiet">○ ${t('notConnected')}</p>`
      : html`<ul class="rows">${sessions.map(s => html`<li key=${s.id}><a class="good" href=${sessionHref(s.id)}>● ${t('connected')}</a><span>${s.source}</span>
        <time datetime=${s.since}>${ago(s.since)}</time><span>${s.ports.map(p => html`<span class="bad">× <code>${p.local}</code> ${t('port_' + p.state)} ${p.program}</span>`)}</span></li>`)}</ul>`)}<//>
    ${may.has('user.trouble') && html`<h3>${t('lastTrouble')}</h3><${Loaded} state=${trouble}>${events => (events.length === 0 ? html`<p class="empty">${t('noTrouble')}</p>`
      : html`<ul class="troubles">${folded(events).slice(0, 8).map(e => html`<${Trouble} e=${e} />`)}</ul>`)}<//>`}</section>`;
}

// Newest first; what came again and again is one entry.
function folded(events) {
  const list = [];
  for (const e of [...events].reverse()) {
    const last = list[list.length - 1];
    if (last && ['by', 'code', 'cause', 'target'].every(m => last[m] === e[m]))
      last.times++;
    else
      list.push({...e, times: 1});
  }
  return list;
}

// The code that the user saw, what was found, and what helps.
function Trouble({e}) {
  return html`<li><p><strong class="bad">× ${e.code}</strong> ${e.title} ${e.times > 1 && html`<span class="quiet">×${e.times}</span>`} <small><time datetime=${e.time}>${when(e.time)}</time> ${t(e.by === 'client' ? 'byClient' : 'byGateway')} ${e.target || ''}</small></p><p>${e.cause}</p>${e.remedy && html`<details><summary>${t('remedy')}</summary><p>${e.remedy}</p></details>`}</li>`;
}

// What the user is given: the profile that sets up his PC, and a sheet of paper.
function HandOut({user}) {
  const [server, setServer] = useState(localStorage.getItem('server') || location.hostname);
  const [shown, setShown] = useState(null);
  const fetchProfile = async () => {
    localStorage.setItem('server', server);
    return get(`/users/${part(user)}/profile?` + new URLSearchParams({server}));
  };
  const action = useAction(async () => save(user + '.pra', (await fetchProfile()).text, 'application/octet-stream'));
  const sheet = useAction(async () => { await fetchProfile(); setShown(server); location.hash = `#/sheet/${part(user)}`; });
  return html`<section class="card"><h2>${t('handOut')}</h2><${Form} action=${action} button=${t('getProfile')} className="form row">
    <${Field} label=${t('serverAddress')} hint=${t('serverHint')} value=${server} onInput=${setServer} autocomplete="off" required />
    <//><p class="buttons"><button disabled=${sheet.busy} onClick=${sheet.run}>${t('getSheet')}</button><a href="#/devices">${t('downloads')} →</a></p><${Alert} error=${sheet.error} /></section>`;
}

function Membership({user, groups, may, again}) {
  const [group, setGroup] = useState('');
  const action = useAction(async () => {
    await api('PUT', `/groups/${part(group)}/members/${part(user)}`);
    setGroup('');
    await again();
  });
  const out = g => async () => { await api('DELETE', `/groups/${part(g)}/members/${part(user)}`); await again(); };
  return html`<section class="card"><h2>${t('groups')}</h2>${groups.length === 0 ? html`<p class="empty">${t('inNoGroup')}</p>`
    : html`<ul class="chips">${groups.map(g => html`<li key=${g}><a href=${'#/groups/' + part(g)}>${g}</a>
      ${may.has('group.member.remove') && html`<${Act} label=${t('takeOut')} name=${g} act=${out(g)} />`}</li>`)}</ul>`}
    ${may.has('group.member.add') && html`<${Form} action=${action} button=${t('putIn')} className="form row">
      <${Field} label=${t('groupName')} value=${group} onInput=${setGroup} autocapitalize="none" autocomplete="off" required /><//>`}</section>`;
}

function FullName({user, again}) {
  const [full, setFull] = useState(user['full-name'] || '');
  const action = useAction(async () => { await api('PATCH', '/users/' + part(user.name), {'full-name': full}); await again(); });
  return html`<details><summary>${t('changeName')}</summary><${Form} action=${action} button=${t('save')} className="form row">
    <${Field} label=${t('fullName')} value=${full} onInput=${setFull} autocomplete="off" /><//></details>`;
}

export function User({name, may}) {
  const state = useData(async () => (await get('/users?name=' + part(name)))[0] || null, name);
  const change = verb => async () => { await post(`/users/${part(name)}/${verb}`); await state.again(); };
  const remove = async () => { await api('DELETE', '/users/' + part(name)); location.hash = '#/users'; };
  return html`<div><p><a href="#/users">← ${t('users')}</a></p><${Loaded} state=${state}>${u => u === null
    ? html`<p class="empty">${t('noMatch')}</p>`
    : html`<h1>${u.name} ${u['full-name'] && html`<small>${u['full-name']}</small>`}</h1>
      <p class="buttons"><strong class=${u.enabled ? 'good' : 'bad'}>${t(u.enabled ? 'enabled' : 'disabled')}</strong>
      ${may.has('user.disable') && (u.enabled
        ? html`<${Act} label=${t('disable')} danger ask=${t('sureDisable', name)} act=${change('disable')} />`
        : html`<${Act} label=${t('enable')} act=${change('enable')} />`)}
      ${may.has('user.delete') && html`<${Act} label=${t('deleteUser')} danger ask=${t('sureDelete', name)} act=${remove} />`}</p>
      ${may.has('user.set') && html`<${FullName} user=${u} again=${state.again} />`}
      <${State} user=${name} may=${may} />${may.has('log.list') && html`<${LogCard} user=${name} />`}<${Keys} owner=${u} may=${may} changed=${state.again} />
      ${may.has('factor.show') && html`<${FactorCard} user=${name} may=${may} />`}<${Rules} user=${name} may=${may} />
      ${may.has('user.limits') && html`<${LimitCard} path=${`/users/${part(name)}/limits`} user may=${may} />`}
      <${Membership} user=${name} groups=${u.groups} may=${may} again=${state.again} />${may.has('profile') && html`<${HandOut} user=${name} />`}`}<//></div>`;
}
