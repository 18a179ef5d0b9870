// The first page: how the gateway is, who is connected, what somebody should look at.
import {html, useEffect} from './preact.js';
import {watch} from './api.js';
import {t, ago, bytes, reason} from './i18n.js';
import {Loaded, useData} from './ui.js';
import {AlertTile} from './alerts.js';
import {Traffic, perSecond, sessionHref, useLive} from './live.js';

const SHOWN = 5;
const EVERY_MS = 30000;

// Fetched again now and then, as long as it is shown.
function useWatched(path) {
  const state = useData(() => watch(path), path);
  useEffect(() => {
    const timer = setInterval(state.again, EVERY_MS);
    return () => clearInterval(timer);
  }, [path]);
  return state;
}

function Health() {
  const state = useWatched('/status');
  return html`<section class="card"><h2>${t('health')}</h2><${Loaded} state=${state}>${s => html`<dl class="facts">
    <dt>${t('gateway')}</dt><dd class=${s.running ? 'good' : 'bad'}>${t(s.running ? 'runs' : 'runsNot')}</dd>
    <dt>${t('version')}</dt><dd>${s.version}</dd>
    <dt>${t('users')}</dt><dd><a href="#/users">${s.users}</a> ・ ${t('groups')}: ${s.groups}</dd>
    <dt>${t('keys')}</dt><dd>${s.keys} ・ ${t('rules')}: ${s.rules}</dd>
    <dt>${t('hostkey')}</dt><dd>${s.hostkey ? html`<code>${s.hostkey.fingerprint}</code>` : html`<span class="bad">${t('noHostkey')}</span>`}</dd></dl>`}<//></section>`;
}

function Now({live}) {
  const sessions = live.data.sessions;
  return html`<section class="card"><h2>${t('newest')}</h2>${sessions.length === 0 ? html`<p class="empty">${t('nobody')}</p>`
    : html`<ul class="rows">${sessions.map(s => html`<li key=${s.id}><a href=${sessionHref(s.id)}>${s.user}</a>
      <span>${s.source}</span><time datetime=${s.since}>${ago(s.since)}</time>
      <span class="number">↑ ${perSecond((live.rates[s.id] || {}).in) || bytes(s.bytes_in)} ・ ↓ ${perSecond((live.rates[s.id] || {}).out) || bytes(s.bytes_out)}</span></li>`)}</ul>`}
    <p><a href="#/live">${t('all')} →</a></p></section>`;
}

// Refused log-ins, of users and of accounts, in the last day.
function Refused() {
  const users = useWatched(`/audit?since=1d&kind=login-refused&limit=${SHOWN}`);
  const accounts = useWatched(`/audit?since=1d&kind=account-refused&limit=${SHOWN}`);
  const both = {error: users.error || accounts.error, again: () => { users.again(); accounts.again(); },
    data: users.data && accounts.data && [...users.data, ...accounts.data].sort((a, b) => (a.time < b.time ? 1 : -1)).slice(0, SHOWN)};
  return html`<section class="card"><h2>${t('refused')}</h2><${Loaded} state=${both}>${events => (events.length === 0
    ? html`<p class="empty">${t('noRefused')}</p>`
    : html`<ul class="rows">${events.map(e => html`<li key=${e.id}><strong class="bad">× ${e.user || t('unknown')}</strong>
      <span>${e.source || ''}</span><time datetime=${e.time}>${ago(e.time)}</time><span>${reason(e.reason)}</span></li>`)}</ul>`)}<//></section>`;
}

function Ports() {
  const state = useWatched('/ports');
  return html`<section class="card"><h2>${t('portTroubles')}</h2><${Loaded} state=${state}>${ports => (ports.length === 0
    ? html`<p class="empty">${t('noPortTrouble')}</p>`
    : html`<ul class="rows">${ports.slice(0, SHOWN).map(p => html`<li><strong class="bad">× <code>${p.local}</code></strong>
      <span>${t('takenOn', p.pcs)} ${p.program}</span><span>${p.users.join(', ')}</span></li>`)}</ul>`)}<//></section>`;
}

export function Dashboard({may, onOver}) {
  const live = useLive(`limit=${SHOWN}`, onOver);
  return html`<div><h1>${t('dashboard')}</h1>
    ${live.away && html`<p class="alert" role="alert">${t('away')}</p>`}
    ${live.data ? html`<${Traffic} all=${live.all} total=${live.data.total} channels=${live.data.channels}>
        ${live.data.alerts && may.has('alert.list') && html`<${AlertTile} sums=${live.data.alerts} />`}<//>` : html`<p role="status" class="quiet">${t('loading')}</p>`}
    <div class="columns">${live.data && html`<${Now} live=${live} />`}<${Health} />
    ${may.has('audit.list') && html`<${Refused} />`}${may.has('port.trouble') && html`<${Ports} />`}</div></div>`;
}
