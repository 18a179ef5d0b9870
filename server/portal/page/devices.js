// Devices: every registered key is one PC. A lost one is cut off with one click, and let in again when it is found.
import {html, useState} from './preact.js';
import {post, part} from './api.js';
import {t, when} from './i18n.js';
import {Act, Alert, Field, Loaded, Pager, useAction, usePaged} from './ui.js';

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

// The keys of `user`, or of everybody. `again` is called when something changed.
export function KeyTable({keys, user, may, again}) {
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
      <th scope="row">${k.comment || '-'}<small><code>${k.fingerprint}</code></small></th>
      <td class=${k.state === 'active' ? 'good' : 'bad'}>${t(k.state)}</td><td><${Binding} k=${k} /></td><td>${k.machine ? html`<code>${k.machine}</code>` : ''}</td>
      <td>${k.version || ''}${k.os && html`<small>${k.os.replace(/^"(.*)"$/, '$1')}</small>`}</td><td>${when(k.seen)}</td>
      <td class="buttons">${may.has('key.revoke') && k.state === 'active' && html`<${Act} label=${t('revoke')} name=${k.comment} danger ask=${t('sureRevoke')} act=${cut(k)} />`}
        ${may.has('key.restore') && k.state === 'revoked' && html`<${Act} label=${t('restore')} name=${k.comment} ask=${t('sureRestore')} act=${restore(k)} />`}</td></tr>`)}</tbody></table></div></div>`;
}

export function Devices({may}) {
  const list = usePaged('/keys');
  return html`<div><h1>${t('devices')}</h1>
    <${Field} label=${t('search')} type="search" hint=${t('devicesHint')} value=${list.text} onInput=${list.search} />
    <${Loaded} state=${list}>${({rows}) => (rows.length === 0 ? html`<p class="empty">${t(list.text ? 'noDeviceFits' : 'noKeys')}</p>`
      : html`<${KeyTable} keys=${rows} may=${may} again=${list.again} />`)}<//><${Pager} list=${list} /></div>`;
}
