// The audit: what happened, newest first, by filters that prad answers; one record as a whole; files for other programs.
import {html, useState, useEffect, useRef} from './preact.js';
import {get, getPage, part} from './api.js';
import {t, exact, reason, when} from './i18n.js';
import {Alert, Field, Loaded, useData} from './ui.js';

const PAGE = 50;
const TYPING_MS = 250;
// Prad looks at a bounded number of records for one answer: so many answers are asked for without being told to go on.
const STRETCHES = 40;
const DAY_MS = 86400000;

const KINDS = ['login', 'login-refused', 'logout', 'tunnel-join', 'join-refused', 'tunnel-leave', 'channel-open', 'channel-refused',
  'channel-failed', 'channel-close', 'channel-cut', 'request-refused', 'session-cut', 'protocol-error', 'port-report', 'clock-difference',
  'log-head', 'log-bundle', 'enroll', 'limit', 'clone', 'ticket', 'alert', 'admin', 'account-login', 'account-refused', 'account-reset',
  'mail-sent', 'mail-failed', 'gateway-start', 'gateway-stop', 'sandbox-violation', 'audit-expired', 'audit-overflow'];
const BAD = /refused|failed|error|cut|overflow|violation/;
const FILTERS = ['search', 'kind', 'user', 'source', 'target', 'device', 'session', 'since', 'until'];

// Words may be missing for a kind that a newer gateway writes.
export const kindName = kind => (t('kind_' + kind) === 'kind_' + kind ? kind : t('kind_' + kind));

// The page's address for records that these filters show.
export const auditHref = filters => '#/audit/' + new URLSearchParams(filters);

const why = r => reason(r.reason, r.kind);

function query(filters, more = {}) {
  const asked = Object.entries({...more, ...filters}).filter(([, value]) => value)
    .map(([name, value]) => [name, name === 'since' || name === 'until' ? new Date(value).toISOString() : value]);
  return new URLSearchParams(asked).toString();
}

/*
 * The list as one, whatever stretches it comes in: {data: {rows, total, complete, until}, error, page, turn, more}. Rows are there as soon
 * as they are found; the total grows until everything was looked at.
 */
function useAudit(asked) {
  const [page, turn] = useState(0);
  const [state, setState] = useState({});
  const [allowed, allow] = useState(STRETCHES);
  const run = useRef(0);
  const known = useRef([]); // stretches of this query: {before, total}; the last one may not have been looked at

  const ask = async (stretch, offset, limit) => {
    const found = await getPage('/audit?' + new URLSearchParams({before: stretch.before, offset, limit}) + (asked && '&' + asked));
    if (stretch.total === undefined && !found.page.complete)
      known.current.push({before: found.page.before});
    Object.assign(stretch, {total: found.page.total, until: found.page.until});
    return found.result;
  };
  const load = async () => {
    const mine = ++run.current;
    const show = rows => {
      const all = known.current, last = all.filter(s => s.total !== undefined).pop();
      setState({data: {rows, total: all.reduce((sum, s) => sum + (s.total || 0), 0), complete: all[all.length - 1].total !== undefined, until: last && last.until}});
    };
    let rows = [], skip = page * PAGE;
    try {
      for (let i = 0; i < known.current.length && i < allowed && mine === run.current; i++) {
        const stretch = known.current[i];
        const want = PAGE - rows.length;
        if (stretch.total === undefined || (want > 0 && skip < stretch.total))
          rows = [...rows, ...(await ask(stretch, want > 0 ? skip : 0, Math.max(want, 1))).slice(0, want)];
        skip = Math.max(0, skip - stretch.total);
        if (mine === run.current)
          show(rows);
      }
    } catch (error) {
      if (mine === run.current)
        setState({error});
    }
  };
  useEffect(() => {
    known.current = [{before: ''}];
    setState(old => ({data: old.data}));
    turn(0);
    allow(STRETCHES);
    const timer = setTimeout(load, state.data || state.error ? TYPING_MS : 0);
    return () => { clearTimeout(timer); run.current++; };
  }, [asked]);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current)
      load();
    first.current = false;
  }, [page, allowed]);
  return {...state, again: load, page, turn, more: () => allow(n => n + STRETCHES)};
}

function Filters({filters, set}) {
  const text = (name, label, hint, rest) => html`<${Field} label=${label} hint=${hint} value=${filters[name] || ''} onInput=${v => set(name, v)} ...${rest} />`;
  return html`<form class="form row" role="search" onSubmit=${e => e.preventDefault()}>
    ${text('search', t('search'), t('auditHint'), {type: 'search'})}
    <${Field} label=${t('kind')}>${id => html`<select id=${id} value=${filters.kind || ''} onChange=${e => set('kind', e.target.value)}>
      <option value="">${t('allKinds')}</option>${KINDS.map(k => html`<option value=${k}>${kindName(k)}</option>`)}</select>`}<//>
    ${text('user', t('name'))}
    ${text('since', t('sinceTime'), '', {type: 'datetime-local'})}${text('until', t('untilTime'), '', {type: 'datetime-local'})}
    ${text('source', t('source'), t('addressHint'))}${text('target', t('target'))}
    ${text('device', t('fingerprint'))}${text('session', t('sessionId'))}</form>`;
}

// One record, all of it. A dialog of the browser's own: it takes and gives back the focus, and Escape closes it.
function Detail({record, onClose, may}) {
  const box = useRef(null);
  useEffect(() => { box.current.showModal(); }, []);
  const member = (label, value, filters) => value !== null && value !== '' && value !== 0 && html`<dt>${label}</dt><dd>${
    filters ? html`<a href=${auditHref(filters)} onClick=${() => box.current.close()}>${value}</a>` : html`<code>${value}</code>`}</dd>`;
  const r = record;
  return html`<dialog ref=${box} onClose=${onClose} aria-labelledby="record"><h2 id="record">${kindName(r.kind)}</h2><dl class="facts">
    <dt>${t('time')}</dt><dd><time datetime=${r.time}>${exact(r.time)}</time></dd>
    ${member(t('kind'), r.kind, {kind: r.kind})}${member(t('name'), r.user, {user: r.user})}${member(t('source'), r.source, {source: r.source})}
    ${member(t('sourcePort'), r.source_port)}${member(t('target'), r.target, {target: r.target})}${member(t('targetAddress'), r.target_ip)}
    ${member(t('rule'), r.rule)}${member(t('reason'), r.reason && why(r) + (why(r) === r.reason ? '' : ` (${r.reason})`))}${member(t('detail'), r.detail)}${member(t('fingerprint'), r.device, {device: r.device})}
    ${member(t('sessionId'), r.session, {session: r.session})}${member(t('bytesIn'), r.bytes_in)}${member(t('bytesOut'), r.bytes_out)}
    ${r.times > 1 && member(t('times'), r.times)}${member(t('recordId'), r.id)}</dl>
    <p class="buttons">${r.user && may.has('user.list') && r.kind !== 'admin' && html`<a href=${'#/users/' + part(r.user)} onClick=${() => box.current.close()}>${t('toUser')}</a>`}
    <button onClick=${() => box.current.close()}>${t('close')}</button></p></dialog>`;
}

function Records({rows, open}) {
  return html`<div class="scroll"><table><thead><tr>${['time', 'kind', 'name', 'source', 'target', 'reason'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
    <tbody>${rows.map(r => html`<tr key=${r.id}><td class="whole"><time datetime=${r.time}>${exact(r.time)}</time></td>
      <th scope="row" class=${BAD.test(r.kind) ? 'whole bad' : 'whole'}>${BAD.test(r.kind) ? '× ' : ''}${kindName(r.kind)}${r.times > 1 && html` <span class="quiet">×${r.times}</span>`}</th>
      <td>${r.user || ''}</td><td>${r.source || ''}</td><td>${r.target || ''}</td><td>${why(r)}${r.detail && html`<small>${r.detail}</small>`}</td>
      <td class="buttons"><button aria-label=${`${t('showRecord')}: ${kindName(r.kind)} ${exact(r.time)}`} onClick=${() => open(r)}>${t('showRecord')}</button></td></tr>`)}</tbody></table></div>`;
}

function Pages({list}) {
  const {total, complete} = list.data;
  const pages = Math.ceil(total / PAGE);
  return pages > 1 && html`<nav class="pager" aria-label=${t('page')}>
    <button disabled=${list.page === 0} onClick=${() => list.turn(list.page - 1)}>${t('previous')}</button>
    <span>${t('page')} ${list.page + 1} ${t('of')} ${pages}${complete ? '' : '+'}</span>
    <button disabled=${list.page >= pages - 1} onClick=${() => list.turn(list.page + 1)}>${t('forward')}</button></nav>`;
}

// How many there were, by kind, in the last 30 days: exact, also where records are fewer.
function Counts() {
  const since = new Date(Date.now() - 30 * DAY_MS).toISOString().slice(0, 10);
  const state = useData(() => get('/audit/counts?since=' + since), since);
  return html`<${Loaded} state=${state}>${counts => {
    const sums = new Map();
    for (const {kind, count} of counts)
      sums.set(kind, (sums.get(kind) || 0) + count);
    return html`<div><p class="quiet">${t('countsHint')}</p><table class="slim"><thead><tr><th scope="col">${t('kind')}</th><th scope="col" class="number">${t('count')}</th></tr></thead>
      <tbody>${[...sums].sort((a, b) => b[1] - a[1]).map(([kind, n]) => html`<tr><th scope="row">${kindName(kind)}</th><td class="number">${n.toLocaleString()}</td></tr>`)}</tbody></table></div>`;
  }}<//>`;
}

export function Audit({name, may}) {
  const [filters, setFilters] = useState(() => Object.fromEntries([...new URLSearchParams(name || '')].filter(([k]) => FILTERS.includes(k))));
  const [record, open] = useState(null);
  const asked = query(filters);
  const list = useAudit(asked);
  const set = (key, value) => {
    const next = {...filters, [key]: value};
    if (!value)
      delete next[key];
    setFilters(next);
    history.replaceState(null, '', auditHref(next)); // to be kept, or sent to somebody; nothing is loaded anew
  };
  return html`<div><h1>${t('audit')}</h1><section class="card"><${Filters} filters=${filters} set=${set} /></section>
    <${Loaded} state=${list}>${({rows, total, complete, until}) => html`<div><p role="status">${t('recordsFound', total.toLocaleString())}
      ${!complete && html` <span class="quiet">${t('lookedBack', until ? exact(until) : '')}</span> <button onClick=${list.more}>${t('lookFurther')}</button>`}</p>
      ${rows.length === 0 ? html`<p class="empty">${t(complete ? (asked ? 'noRecordFits' : 'noRecords') : 'loading')}</p>` : html`<${Records} rows=${rows} open=${open} />`}
      <${Pages} list=${list} /></div>`}<//>
    ${record && html`<${Detail} record=${record} onClose=${() => open(null)} may=${may} />`}
    <div class="columns">${may.has('audit.export') && html`<section class="card"><h2>${t('exportAudit')}</h2><p class="quiet">${t('exportHint')}</p>
      <p class="buttons">${['csv', 'jsonl', 'syslog'].map(f => html`<a href=${'/api/v1/audit/export?' + query(filters, {format: f})} download>${t('export_' + f)}</a>`)}</p></section>`}
    <section class="card"><h2>${t('countsTitle')}</h2><${Counts} /></section></div></div>`;
}
