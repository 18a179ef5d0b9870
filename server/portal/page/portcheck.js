// The ports: which there are, what for, which must be open (※), and how it is with them; and how a user finds out.
import {html} from './preact.js';
import {get} from './api.js';
import {t} from './i18n.js';
import {Loaded, useData} from './ui.js';

const STATES = {open: 'good', closed: 'bad', untested: 'quiet'};

export function PortTable({rows}) {
  return html`<div class="scroll"><table><thead><tr>${['port', 'direction', 'protocol', 'portUse', 'state'].map(k => html`<th scope="col">${t(k)}</th>`)}</tr></thead>
    <tbody>${rows.map(r => html`<tr><th scope="row" class="number">${r.port || t('anyPort')}${r.mandatory ? ' ※' : ''}</th><td>${t('dir_' + r.direction)}</td><td>${r.protocol}</td>
      <td>${r.use ? t('port_' + r.use) : r.detail}</td><td class=${STATES[r.state]}>${t('ports_' + r.state)}</td></tr>`)}</tbody></table></div>`;
}

export function PortCheck() {
  const state = useData(() => get('/port-check'), '');
  return html`<div><h1>${t('ports')}</h1><${Loaded} state=${state}>${rows => html`<div><section class="card"><h2>${t('gatewayPorts')}</h2>
      <${PortTable} rows=${rows} /><p class="quiet">${t('mandatoryNote')}</p><p class="buttons"><button onClick=${state.again}>${t('checkAgain')}</button></p></section>
    <section class="card"><h2>${t('fromUser')}</h2><ol><li>${t('openInBrowser')} <a href=${`http://${location.hostname}:${rows[0].port}/`} target="_blank" rel="noreferrer">http://${location.hostname}:${rows[0].port}/</a> → <code>10022 OK!</code></li>
      <li>${t('runCheck')} <code>pra check</code></li><li>${t('sendCheck')} <code>pra log send</code></li></ol></section></div>`}<//></div>`;
}
