// Devices: every registered key is one PC. A lost one is cut off with one click, and let in again when it is found.
import {html, useState} from './preact.js';
import {api, get, post, part} from './api.js';
import {t, when} from './i18n.js';
import {Downloads, newest, older} from './downloads.js';
import {Act, Alert, Field, Form, Loaded, Pager, save, useAction, useData, usePaged} from './ui.js';

// Names of users hold no slash.
export const deviceHref = k => '#/devices/' + part(`${k.user}/${k.fingerprint}`);
const CLONE_POLICIES = ['default', 'refuse', 'quarantine', 'allow'];
const plain = os => (os || '').replace(/^"(.*)"$/, '$1');

// What was just cut off, with the way back.
function Undo({last, onUndo, onClose}) {
  const action = useAction(onUndo);
  return html`<div class="alert undo" role="status"><span>${t('wasCut', last.user, last.comment || last.fingerprint)}</span>
    <button disabled=${action.busy} onClick=${action.run}>${t('undo')}</button><button class="link" onClick=${onClose}>${t('close')}</button>
    <${Alert} error=${action.error} /></div>`;
}

function Binding({k}) {
  return html`<span class=${k.binding === 'bound' ? 'good' : k.binding === 'weak' ? 'bad' : 'quiet'}>${t(k['any-client'] ? 'unbound' : k.binding === 'bound' || k.binding === 'weak' ? k.binding : 'unknown')}</span>`;
}

const revoke = (k, again) => async () => {
  await post('/keys/revoke', {fingerprint: k.fingerprint, user: k.user});
  await again();
};

// The next PC that comes with this key gets a new ticket.
const release = (k, again) => async () => {
  await post('/keys/release', {fingerprint: k.fingerprint, user: k.user});
  await again();
};

// The keys of `user`, or of everybody. `again` is called when something changed.
export function KeyTable({keys, user, may, again, latest}) {
  const [last, setLast] = useState(null);
  const cut = k => async () => {
    await post('/keys/revoke', {fingerprint: k.fingerprint, user: k.user});
    setLast(k);
    await again();
  };
  const restore = k => async () => {
    await post('/keys/restore', {fingerprint: k.fingerprint, user: k.user});
    setLast(null);
    await again();
  };
  return html`<div>${last && html`<${Undo} last=${last} onUndo=${restore(last)} onClose=${() => setLast(null)} />`}
    <div class="scroll"><table><thead><tr>${[...(user ? [] : ['name']), 'device', 'state', 'binding', 'machine', 'version', 'seen'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
    <tbody>${keys.map(k => html`<tr key=${k.id}>${!user && html`<td><a href=${'#/users/' + part(k.user)}>${k.user}</a></td>`}
      <th scope="row"><a href=${deviceHref(k)}>${k.name || k.comment || '-'}</a>${k.place && html`<small>${k.place}</small>`}<small><code>${k.fingerprint}</code></small></th>
      <td class=${k.state === 'active' ? 'good' : 'bad'}>${t(k.state)}</td><td><${Binding} k=${k} /></td><td>${k.machine ? html`<code>${k.machine}</code>` : ''}${k['machine-changes'] > 0 && html`<small class="warning">${t('machineChanged', k['machine-changes'])}</small>`}</td>
      <td>${k.version || ''}${latest && k.version && older(k.version, latest) && html`<small class="warning">${t('newerIs', latest)}</small>`}${k.os && html`<small>${plain(k.os)}</small>`}</td><td class="whole">${when(k.seen)}</td>
      <td class="buttons">${may.has('key.revoke') && k.state !== 'revoked' && html`<${Act} label=${t('revoke')} name=${k.comment} danger ask=${t('sureRevoke')} act=${cut(k)} />`}
        ${may.has('key.release') && k.state === 'quarantined' && html`<${Act} label=${t('release')} name=${k.comment} ask=${t('sureRelease')} act=${release(k, again)} />`}
        ${may.has('key.restore') && k.state === 'revoked' && html`<${Act} label=${t('restore')} name=${k.comment} ask=${t('sureRestore')} act=${restore(k)} />`}</td></tr>`)}</tbody></table></div></div>`;
}

export function Devices({may}) {
  const list = usePaged('/keys');
  const latest = useData(() => (may.has('download.list') ? newest() : undefined), '');
  return html`<div><h1>${t('devices')}</h1>
    <${Field} label=${t('search')} type="search" hint=${t('devicesHint')} value=${list.text} onInput=${list.search} />
    <${Loaded} state=${list}>${({rows}) => (rows.length === 0 ? html`<p class="empty">${t(list.text ? 'noDeviceFits' : 'noKeys')}</p>`
      : html`<${KeyTable} keys=${rows} may=${may} again=${list.again} latest=${latest.data} />`)}<//><${Pager} list=${list} />
    ${may.has('download.list') && html`<${Downloads} />`}</div>`;
}

/* ---- one device ---- */

function Describe({k, again}) {
  const [data, setData] = useState({name: k.name || '', place: k.place || '', mail: k.mail || '', clone: k.clone});
  const [saved, setSaved] = useState('');
  const set = member => value => { setSaved(''); setData(old => ({...old, [member]: value})); };
  const action = useAction(async () => {
    await api('PATCH', '/keys', {fingerprint: k.fingerprint, user: k.user, ...data});
    setSaved(t('saved'));
    await again();
  });
  return html`<${Form} action=${action} button=${t('save')} className="form row">
    <${Field} label=${t('deviceName')} value=${data.name} onInput=${set('name')} autocomplete="off" />
    <${Field} label=${t('place')} value=${data.place} onInput=${set('place')} autocomplete="off" />
    <${Field} label=${t('alertAddress')} type="email" value=${data.mail} onInput=${set('mail')} autocomplete="off" />
    <${Field} label=${t('clonePolicy')}>${id => html`<select id=${id} value=${data.clone} onChange=${e => set('clone')(e.target.value)}>
      ${CLONE_POLICIES.map(w => html`<option value=${w}>${t('clone_' + w)}</option>`)}</select>`}<//><//>
    <${Alert} text=${saved} />`;
}

// What is done when a key of this user is seen on two machines; a device of his may have a setting of its own.
export function UserClone({user, may, again}) {
  const action = useAction(async clone => { await api('PATCH', '/users/' + part(user.name), {clone}); await again(); });
  const word = w => t(w === 'default' ? 'asGateway' : 'clone_' + w);
  if (!may.has('user.set'))
    return html`<p class="quiet">${t('clonePolicy')}: ${word(user.clone)}</p>`;
  return html`<div><${Field} label=${t('clonePolicy')} hint=${t('cloneHint')}>${id => html`<select id=${id} aria-describedby=${id + 'h'} value=${user.clone} disabled=${action.busy}
      onChange=${e => action.run(e.target.value)}>${CLONE_POLICIES.map(w => html`<option value=${w}>${word(w)}</option>`)}</select>`}<//>
    <${Alert} error=${action.error} /></div>`;
}

function Tags({tags}) {
  return tags.length === 0 ? html`<p class="empty">${t('noMachineChange')}</p>`
    : html`<ul class="rows">${tags.map(c => html`<li><time datetime=${c.time}>${when(c.time)}</time><span><code>${c.from}</code> → <code>${c.to}</code></span></li>`)}</ul>`;
}

function Connected({sessions}) {
  if (sessions.length === 0)
    return html`<p class="quiet">○ ${t('notConnected')}</p>`;
  return html`<ul class="rows">${sessions.map(s => html`<li key=${s.id}><a class="good" href=${'#/live/' + part(s.id)}>● ${t('connected')}</a><span>${s.source}</span>
    <span>${s.ports.length === 0 ? t('portsFine') : s.ports.map(p => html`<span class="bad">× <code>${p.local}</code> ${t('port_' + p.state)} ${p.program}</span>`)}</span></li>`)}</ul>`;
}

export function Device({name, may}) {
  const [user, fingerprint] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
  const state = useData(() => get('/keys/show?' + new URLSearchParams({user, fingerprint})), name);
  const file = useAction(async () => save(`device-${user}.json`, JSON.stringify(await get('/keys/show?' + new URLSearchParams({user, fingerprint})), null, 2), 'application/json'));
  return html`<div><p><a href="#/devices">← ${t('devices')}</a></p><${Loaded} state=${state}>${d => html`<h1>${d.device.name || d.device.comment || '-'} <small>${d.device.place}</small></h1>
    <section class="card"><h2>${t('deviceData')}</h2><dl class="facts">
      <dt>${t('name')}</dt><dd><a href=${'#/users/' + part(user)}>${user}</a> ${d.user && d.user['full-name']}</dd>
      <dt>${t('state')}</dt><dd class=${d.device.state === 'active' ? 'good' : 'bad'}>${t(d.device.state)}</dd>
      <dt>${t('fingerprint')}</dt><dd><code>${d.device.fingerprint}</code></dd><dt>${t('comment')}</dt><dd>${d.device.comment}</dd>
      <dt>${t('binding')}</dt><dd><${Binding} k=${d.device} /></dd><dt>${t('machine')}</dt><dd><code>${d.device.machine}</code></dd>
      <dt>${t('version')}</dt><dd>${d.device.version}</dd><dt>${t('system')}</dt><dd>${plain(d.device.os)}</dd>
      <dt>${t('registered')}</dt><dd>${when(d.device.registered)}</dd><dt>${t('seen')}</dt><dd>${when(d.device.seen)}</dd>
      <dt>${t('ticket')}</dt><dd>${d.device.ticket ? t('ticketSince', when(d.device.ticket)) : t('noTicket')}</dd></dl>
      ${d.device.state === 'quarantined' && html`<p class="alert" role="alert">${t('quarantineHint')}</p>`}
      <p class="buttons">${may.has('key.release') && (d.device.state === 'quarantined' || (d.device.state === 'active' && d.device.ticket)) && html`<${Act} label=${t(d.device.state === 'active' ? 'newTicket' : 'release')} name=${d.device.comment} ask=${t(d.device.state === 'active' ? 'sureNewTicket' : 'sureRelease')} act=${release(d.device, state.again)} />`}
        ${may.has('key.revoke') && d.device.state === 'quarantined' && html`<${Act} label=${t('revoke')} name=${d.device.comment} danger ask=${t('sureRevoke')} act=${revoke(d.device, state.again)} />`}</p>
      ${may.has('key.set') && html`<${Describe} k=${d.device} again=${state.again} />`}
      <p class="buttons"><button disabled=${file.busy} onClick=${file.run}>${t('getFile')}</button><small>${t('getFileHint')}</small></p><${Alert} error=${file.error} /></section>
    <section class="card"><h2>${t('live')}</h2><${Connected} sessions=${d.sessions} /></section>
    <section class="card"><h2>${t('machineTags')}</h2><${Tags} tags=${d['machine-tags']} /></section>`}<//></div>`;
}
