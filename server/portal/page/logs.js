// Log bundles of users: are they whole, what do they tell, and the client's lines beside the gateway's records.
import {html, useState} from './preact.js';
import {del, get, part} from './api.js';
import {t, bytes, when} from './i18n.js';
import {PortTable} from './portcheck.js';
import {Act, Alert, Loaded, Pager, useAction, useData, usePaged} from './ui.js';

export const logHref = id => '#/logs/' + part(id);

const Whole = ({row}) => html`<span class=${row.whole ? 'good' : 'bad'}>${row.whole ? t('logWhole') : t('logBroken', row.breaks)}</span>`;

// The bundle itself, which comes in parts, as one file.
async function download(id) {
  const parts = [];
  let at = 0, whole;
  do {
    whole = await get(`/logs/${part(id)}/data?offset=${at}`);
    const bytes = Uint8Array.from(atob(whole.data), c => c.charCodeAt(0));
    parts.push(bytes);
    at += bytes.length;
  } while (at < whole.size);
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob(parts, {type: 'application/zip'}));
  a.download = whole.name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

export function LogTable({rows, user}) {
  return html`<div class="scroll"><table><thead><tr>${[...(user ? [] : ['name']), 'received', 'state', 'lines', 'size', 'version'].map(k => html`<th scope="col" class=${k === 'lines' || k === 'size' ? 'number' : undefined}>${t(k)}</th>`)}</tr></thead>
    <tbody>${rows.map(b => html`<tr key=${b.id}>${!user && html`<td><a href=${'#/users/' + part(b.user)}>${b.user}</a></td>`}
      <th scope="row"><a href=${logHref(b.id)}>${when(b.time)}</a><small><code>${b.id}</code></small></th><td><${Whole} row=${b} /></td>
      <td class="number">${b.lines}</td><td class="number">${bytes(b.size)}</td><td>${b.version || ''}</td></tr>`)}</tbody></table></div>`;
}

export function LogCard({user}) {
  const state = useData(() => get('/logs?user=' + part(user)), user);
  return html`<section class="card"><h2>${t('logs')}</h2><${Loaded} state=${state}>${rows => (rows.length === 0
    ? html`<p class="empty">${t('noLogs')}</p>` : html`<${LogTable} rows=${rows} user=${user} />`)}<//></section>`;
}

export function Logs() {
  const list = usePaged('/logs');
  return html`<div><h1>${t('logs')}</h1><p class="quiet">${t('logsAbout')}</p><${Loaded} state=${list}>${({rows}) => (rows.length === 0
    ? html`<p class="empty">${t('noLogs')}</p>` : html`<${LogTable} rows=${rows} />`)}<//><${Pager} list=${list} /></div>`;
}

/* ---- one bundle ---- */

function Chains({logs}) {
  return html`<section class="card"><h2>${t('logChains')}</h2>${logs.map(l => html`<div key=${l.name}><h3>${l.name} <small class=${l.whole ? 'good' : 'bad'}>${l.whole ? t('logWhole') : t('logBroken', l.breaks.length)}</small></h3>
    <p class="quiet">${t('logLines', l.lines, l.first, l.last, l.confirmed)}</p>
    ${l.earlier > 0 && html`<p class="warn">△ ${t('logEarlier', l.earlier)}</p>`}
    ${l.breaks.length > 0 && html`<ul class="rows">${l.breaks.map(b => html`<li><strong class=${b.kind === 'taken-out' ? 'warn' : 'bad'}>${b.kind === 'taken-out' ? '△' : '×'} ${b.file}:${b.line}</strong>
      <span>${t('break_' + b.kind, b.count)}</span><span class="quiet">#${b.number}</span></li>`)}</ul>`}</div>`)}</section>`;
}

function Problems({problems, status}) {
  return html`<section class="card"><h2>${t('lastTrouble')}</h2>${status && status.state && html`<p>${t('clientState')}: <strong>${String(status.state)}</strong> ${status.error && html`<span class="bad">${String(status.error.code)} ${String(status.error.message)}</span>`}</p>`}
    ${problems.length === 0 ? html`<p class="empty">${t('noTrouble')}</p>`
      : html`<ul class="rows">${problems.slice(-10).reverse().map(p => html`<li><strong class="bad">× ${p.code}</strong><time>${when(new Date(p.at).toISOString())}</time><span>${p.text}</span></li>`)}</ul>`}</section>`;
}

// What `pra check` found on the PC; its words are in the user's language.
function Checks({check}) {
  const checks = Array.isArray(check.checks) ? check.checks.filter(c => c.state !== 'ok') : [];
  const ports = Array.isArray(check.ports) ? check.ports : [];
  return html`<section class="card"><h2>pra check</h2>${checks.length === 0 ? html`<p class="good">● ${t('allChecksGood')}</p>`
    : html`<ul class="rows">${checks.map(c => html`<li><strong class=${c.state === 'fail' ? 'bad' : 'warn'}>${c.state === 'fail' ? '×' : '△'} ${String(c.code)}</strong><span>${String(c.text)}</span><span>${String(c.detail)}</span></li>`)}</ul>`}
    ${ports.length > 0 && html`<${PortTable} rows=${ports.map(r => ({port: Number(r.port), direction: r.direction === 'local' ? 'local' : 'out', protocol: String(r.protocol), detail: String(r.detail), mandatory: r.mandatory === true, state: r.state === 'open' || r.state === 'closed' ? r.state : 'untested'}))} />`}</section>`;
}

const STATES = {good: '', unproven: 'quiet', 'taken-out': 'warn'};

function Line({e}) {
  const gateway = e.log === 'gateway';
  return html`<tr class=${gateway ? 'gateway' : undefined}><td><time>${e.at ? new Date(e.at).toISOString().replace('T', ' ') : ''}</time></td>
    <td>${gateway ? html`<strong>${t('gateway')}</strong>` : html`${e.log}<small>${e.file}:${e.line}</small>`}</td>
    <td class=${gateway ? '' : STATES[e.state] ?? 'bad'}>${gateway ? '' : e.state === 'good' ? '●' : t('line_' + e.state)}</td>
    <td class="line">${gateway ? [e.kind, e.reason, e.target, e.text].filter(Boolean).join(' ') : `${e.level} ${e.text}`}</td></tr>`;
}

function Timeline({id}) {
  const list = usePaged(`/logs/${part(id)}/timeline`);
  return html`<section class="card"><h2>${t('timeline')}</h2><p class="quiet">${t('timelineAbout')}</p>
    <${Loaded} state=${list}>${({rows}) => html`<div class="scroll" tabindex="0" role="region" aria-label=${t('timeline')}><table class="timeline"><thead><tr>${['time', 'source', 'state', 'logLine'].map(k => html`<th scope="col">${t(k)}</th>`)}</tr></thead>
      <tbody>${rows.map((e, i) => html`<${Line} key=${i} e=${e} />`)}</tbody></table></div>`}<//><${Pager} list=${list} /></section>`;
}

export function LogPage({id, may}) {
  const state = useData(() => get('/logs/' + part(id)), id);
  const [done, setDone] = useState(false);
  const fetch = useAction(() => download(id));
  const remove = async () => { await del('/logs/' + part(id)); setDone(true); location.hash = '#/logs'; };
  return html`<div><p><a href="#/logs">← ${t('logs')}</a></p>${!done && html`<${Loaded} state=${state}>${b => html`<div>
    <h1><a href=${'#/users/' + part(b.user)}>${b.user}</a> <small>${when(b.time)}</small></h1>
    <p class="buttons"><strong><${Whole} row=${b} /></strong><button disabled=${fetch.busy} onClick=${fetch.run}>${t('download')}</button>
      ${may.has('log.delete') && html`<${Act} label=${t('remove')} danger ask=${t('sureLog')} act=${remove} />`}</p><${Alert} error=${fetch.error} />
    <dl class="facts"><dt>${t('device')}</dt><dd><code>${b.device}</code></dd><dt>${t('source')}</dt><dd>${b.source || ''}</dd><dt>${t('session')}</dt><dd><code>${b.session}</code></dd></dl>
    <${Chains} logs=${b.logs} /><${Problems} problems=${b.problems} status=${b.status} />${b.check && html`<${Checks} check=${b.check} />`}<${Timeline} id=${id} /></div>`}<//>`}</div>`;
}
