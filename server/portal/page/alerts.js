// Alerts: what somebody should look at, judged and done with; devices that should always be there; announced outages; one's own mail.
import {html, useState} from './preact.js';
import {api, del, get, post, part} from './api.js';
import {alertDetail} from './detail.js';
import {t, ago, duration, exact, when} from './i18n.js';
import {Act, Alert, Field, Form, Loaded, Pager, useAction, useData, usePaged} from './ui.js';

const SEVERITIES = ['critical', 'warning', 'notice'];
const MARK = {critical: '×', warning: '△', notice: '○', unjudged: ''};
const TONE = {critical: 'bad', warning: 'warning', notice: 'quiet', unjudged: 'bad'};
const put = (path, body) => api('PUT', path, body);
const kindName = kind => (t('alert_' + kind) === 'alert_' + kind ? kind : t('alert_' + kind));

function Severity({of}) {
  const word = of || 'unjudged';
  return html`<span class=${TONE[word]}>${MARK[word]} ${t('severity_' + word)}</span>`;
}

// On the dashboard: how many are open, worst first; a link to them.
export function AlertTile({sums}) {
  const worst = ['critical', 'unjudged', 'warning', 'notice'].filter(s => sums[s] > 0);
  return html`<a class=${'tile alerts' + (sums.critical + sums.unjudged > 0 ? ' urgent' : '')} href="#/alerts"><span>${t('openAlerts')}</span><strong>${sums.open}</strong>
    <span>${worst.length === 0 ? t('noneOpen') : worst.map(s => html`<span class=${TONE[s]}>${MARK[s]} ${t('severity_' + s)} ${sums[s]} </span>`)}</span></a>`;
}

function Judge({alert, again}) {
  const [severity, setSeverity] = useState(alert.severity || 'warning');
  const [note, setNote] = useState('');
  const action = useAction(async () => { await post(`/alerts/${alert.id}/judge`, {severity, note}); await again(); });
  return html`<details><summary aria-label=${`${t('judge')}: ${kindName(alert.kind)} ${alert.subject}`}>${t('judge')}</summary><${Form} action=${action} button=${t('judgeIt')} className="form row">
    <${Field} label=${t('severity')}>${id => html`<select id=${id} value=${severity} onChange=${e => setSeverity(e.target.value)}>
      ${SEVERITIES.map(s => html`<option value=${s}>${t('severity_' + s)}</option>`)}</select>`}<//>
    <${Field} label=${t('note')} value=${note} onInput=${setNote} maxlength="128" /><//></details>`;
}

// A device is named by its key, which is long; what else it is about is said in the detail.
function About({a}) {
  return html`${a.device ? html`<a href=${'#/users/' + part(a.user)}>${a.subject}</a>` : a.subject}${a.detail && html`<small>${alertDetail(a.detail)}</small>`}`;
}

function Table({rows, may, again}) {
  return html`<div class="scroll"><table><thead><tr>${['severity', 'kind', 'about', 'count', 'lastTime'].map(k => html`<th scope="col" class=${k === 'count' ? 'number' : undefined}>${t(k)}</th>`)}<td></td></tr></thead>
    <tbody>${rows.map(a => html`<tr key=${a.id}><td><${Severity} of=${a.severity} /></td><th scope="row">${kindName(a.kind)}</th><td><${About} a=${a} /></td>
      <td class="number">${a.times.toLocaleString()}</td><td><time datetime=${a.last}>${exact(a.last)}</time>${a.times > 1 && html`<small>${t('firstTime')} ${exact(a.first)}</small>`}</td>
      <td>${a.judged && html`<small>${t('judgedBy', a['judged-by'], when(a.judged))}</small>`}${a.note && html`<small>${a.note}</small>`}
        ${a.acked ? html`<small class="good">● ${t('ackedBy', a['acked-by'], when(a.acked))}</small>` : html`<span>
          ${may.has('alert.judge') && html`<${Judge} alert=${a} again=${again} />`}
          ${may.has('alert.ack') && a.severity && html`<${Act} label=${t('ack')} name=${`${kindName(a.kind)} ${a.subject}`} act=${async () => { await post(`/alerts/${a.id}/ack`); await again(); }} />`}</span>`}</td></tr>`)}</tbody></table></div>`;
}

function List({may}) {
  const [state, setState] = useState('open');
  const [severity, setSeverity] = useState('');
  const list = usePaged(`/alerts?state=${state}&severity=${severity}`);
  return html`<section class="card"><div class="form row">
    <${Field} label=${t('search')} type="search" value=${list.text} onInput=${list.search} />
    <${Field} label=${t('state')}>${id => html`<select id=${id} value=${state} onChange=${e => setState(e.target.value)}>
      <option value="open">${t('stateOpen')}</option><option value="acked">${t('stateAcked')}</option><option value="">${t('allKinds')}</option></select>`}<//>
    <${Field} label=${t('severity')}>${id => html`<select id=${id} value=${severity} onChange=${e => setSeverity(e.target.value)}><option value="">${t('allKinds')}</option>
      ${['unjudged', ...SEVERITIES].map(s => html`<option value=${s}>${t('severity_' + s)}</option>`)}</select>`}<//></div>
    <${Loaded} state=${list}>${({rows}) => (rows.length === 0 ? html`<p class="empty">${t(state === 'open' && !severity && !list.text ? 'noAlerts' : 'noAlertFits')}</p>`
      : html`<div>${rows.some(a => a.kind === 'thinned') && html`<p class="alert warn" role="status">△ ${t('thinnedHint')}</p>`}<${Table} rows=${rows} may=${may} again=${list.again} /></div>`)}<//><${Pager} list=${list} /></section>`;
}

function Counts() {
  const since = new Date(Date.now() - 90 * 86400000).toISOString().slice(0, 10);
  const state = useData(() => get('/alerts/counts?since=' + since), since);
  return html`<section class="card"><h2>${t('alertCounts')}</h2><${Loaded} state=${state}>${counts => {
    const sums = new Map();
    for (const {kind, count} of counts)
      sums.set(kind, (sums.get(kind) || 0) + count);
    return html`<div><p class="quiet">${t('countsHint')}</p>${sums.size === 0 ? html`<p class="empty">${t('noAlertsEver')}</p>` : html`<table class="slim"><thead><tr><th scope="col">${t('kind')}</th><th scope="col" class="number">${t('count')}</th></tr></thead>
      <tbody>${[...sums].sort((a, b) => b[1] - a[1]).map(([kind, n]) => html`<tr><th scope="row">${kindName(kind)}</th><td class="number">${n.toLocaleString()}</td></tr>`)}</tbody></table>`}</div>`;
  }}<//></section>`;
}

// ---- devices that should always be connected

function AddWatch({again}) {
  const [key, setKey] = useState('');
  const [after, setAfter] = useState('10m');
  const keys = useData(() => get('/keys?state=active&limit=1000'), 'keys');
  const action = useAction(async () => {
    const [user, fingerprint] = key.split('\n');
    await put('/watches', {user, fingerprint, after});
    await again();
  });
  return html`<details><summary>${t('addWatch')}</summary><${Form} action=${action} button=${t('watchIt')} className="form row">
    <${Field} label=${t('device')}>${id => html`<select id=${id} required value=${key} onChange=${e => setKey(e.target.value)}><option value=""></option>
      ${(keys.data || []).map(k => html`<option value=${k.user + '\n' + k.fingerprint}>${k.user}: ${k.comment || k.fingerprint}</option>`)}</select>`}<//>
    <${Field} label=${t('awayFor')} hint=${t('awayHint')} value=${after} onInput=${setAfter} required /><//></details>`;
}

function Watches({may}) {
  const list = usePaged('/watches');
  const stop = w => async () => { await put('/watches', {user: w.user, fingerprint: w.fingerprint, after: '0'}); await list.again(); };
  return html`<section class="card"><h2>${t('alwaysOn')}</h2><${Loaded} state=${list}>${({rows}) => (rows.length === 0 ? html`<p class="empty">${t('noWatches')}</p>`
    : html`<div class="scroll"><table><thead><tr>${['device', 'state', 'stateSince', 'awayFor'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
      <tbody>${rows.map(w => html`<tr key=${w.user + w.fingerprint}><th scope="row"><a href=${'#/users/' + part(w.user)}>${w.user}</a>: ${w.comment || ''}<small><code>${w.fingerprint}</code></small></th>
        <td class=${w.state === 'online' ? 'good' : 'bad'}>${t(w.state === 'online' ? 'isOnline' : 'isOffline')}</td><td><time datetime=${w.since}>${ago(w.since)}</time></td><td>${duration(w.after)}</td>
        <td class="buttons">${may.has('watch.set') && html`<${Act} label=${t('watchNoMore')} name=${`${w.user} ${w.comment || w.fingerprint}`} act=${stop(w)} />`}</td></tr>`)}</tbody></table></div>`)}<//><${Pager} list=${list} />
    ${may.has('watch.set') && html`<${AddWatch} again=${list.again} />`}</section>`;
}

// ---- announced outages

function AddOutage({again}) {
  const [form, setForm] = useState({since: '', until: '', user: '', note: ''});
  const set = name => value => setForm(old => ({...old, [name]: value}));
  const time = text => (text ? new Date(text).toISOString() : undefined);
  const action = useAction(async () => {
    await post('/outages', {since: time(form.since), until: time(form.until), user: form.user || undefined, note: form.note || undefined});
    setForm({since: '', until: '', user: '', note: ''});
    await again();
  });
  return html`<details><summary>${t('addOutage')}</summary><${Form} action=${action} button=${t('announce')} className="form row">
    <${Field} label=${t('outageSince')} type="datetime-local" hint=${t('nowIfEmpty')} value=${form.since} onInput=${set('since')} />
    <${Field} label=${t('outageUntil')} type="datetime-local" required value=${form.until} onInput=${set('until')} />
    <${Field} label=${t('outageUser')} hint=${t('allIfEmpty')} value=${form.user} onInput=${set('user')} />
    <${Field} label=${t('note')} value=${form.note} onInput=${set('note')} maxlength="128" /><//></details>`;
}

function Outages({may}) {
  const state = useData(() => get('/outages'), 'outages');
  const remove = o => async () => { await del('/outages/' + o.id); await state.again(); };
  return html`<section class="card"><h2>${t('outages')}</h2><p class="quiet">${t('outagesHint')}</p><${Loaded} state=${state}>${rows => (rows.length === 0 ? html`<p class="empty">${t('noOutages')}</p>`
    : html`<div class="scroll"><table><thead><tr>${['state', 'outageSince', 'outageUntil', 'outageUser', 'note'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
      <tbody>${rows.map(o => html`<tr key=${o.id}><td>${t('outage_' + o.state)}</td><td>${when(o.since)}</td><td>${when(o.until)}</td><td>${o.user || t('allKinds')}</td><td>${o.note || ''}<small>${o.by}</small></td>
        <td class="buttons">${may.has('outage.remove') && html`<${Act} label=${t('remove')} name=${o.note || when(o.since)} danger act=${remove(o)} />`}</td></tr>`)}</tbody></table></div>`)}<//>
    ${may.has('outage.add') && html`<${AddOutage} again=${state.again} />`}</section>`;
}

function Mail() {
  const state = useData(() => get('/me/alerts'), 'mail');
  const action = useAction(async minimum => { await put('/me/alerts', {minimum}); await state.again(); });
  return html`<section class="card"><h2>${t('alertMail')}</h2><${Loaded} state=${state}>${m => html`<div>${!m.mail && html`<p class="alert warn">△ ${t('noMailAddress')} <a href="#/me">${t('profile')}</a></p>`}
    <${Field} label=${t('mailFrom')} hint=${t('mailHint', m.mail || '-')}>${id => html`<select id=${id} value=${m.minimum} disabled=${action.busy} onChange=${e => action.run(e.target.value)}>
      ${['none', 'critical', 'warning', 'notice'].map(s => html`<option value=${s}>${t('mail_' + s)}</option>`)}</select>`}<//><${Alert} error=${action.error} /></div>`}<//></section>`;
}

export function Alerts({may}) {
  return html`<div><h1>${t('alerts')}</h1><${List} may=${may} />
    ${may.has('watch.list') && html`<${Watches} may=${may} />`}${may.has('outage.list') && html`<${Outages} may=${may} />`}
    <div class="columns">${may.has('alert.mail') && html`<${Mail} />`}<${Counts} /></div></div>`;
}
