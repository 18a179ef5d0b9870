// Who is connected: sessions as the gateway tells them every two seconds, and one session's channels.
import {html, useState, useEffect, useRef} from './preact.js';
import {del, get, part, watch} from './api.js';
import {t, bytes, ago, when} from './i18n.js';
import {InForce} from './limits.js';
import {Penalties} from './penalties.js';
import {Act, Alert, Field, Loaded, useData} from './ui.js';

const LIMIT = 100;

// Follows /live/events; gives {data, rates: {id: {in, out}} in bytes per second, away}.
export function useLive(query, onOver) {
  const [state, setState] = useState({});
  useEffect(() => {
    let before = null, at = 0;
    setState({});
    const events = new EventSource(`/api/v1/live/events?${query}`);
    events.onmessage = e => {
      const data = JSON.parse(e.data), now = performance.now(), rates = {};
      const seconds = (now - at) / 1000;
      const rate = (s, b) => ({in: Math.max(0, s.bytes_in - b.bytes_in) / seconds, out: Math.max(0, s.bytes_out - b.bytes_out) / seconds});
      const old = before && new Map(before.sessions.map(s => [s.id, s]));
      for (const s of old ? data.sessions : [])
        if (old.has(s.id))
          rates[s.id] = rate(s, old.get(s.id));
      setState({data, rates, all: before && rate(data, before), away: false});
      before = data;
      at = now;
    };
    events.addEventListener('away', () => { before = null; setState(s => ({...s, away: true})); });
    events.addEventListener('over', () => { events.close(); onOver(); });
    // The browser tries again by itself, unless the answer was no stream: then it is asked why.
    events.onerror = async () => {
      if (events.readyState !== EventSource.CLOSED)
        return setState(s => ({...s, away: true}));
      try {
        await get(`/live?${query}`);
        setState(s => ({...s, away: true}));
      } catch (error) {
        setState(s => ({...s, error}));
      }
    };
    return () => events.close();
  }, [query]);
  return state;
}

export const perSecond = n => (n === undefined ? '' : `${bytes(n)}/s`);

export const sessionHref = id => '#/live/' + part(id);

// The gateway's escaped text: quoted where it holds a blank.
const plain = text => text.replace(/^"(.*)"$/, '$1');

function Table({sessions, rates, may}) {
  const kill = s => () => del('/sessions/' + part(s.id));
  return html`<div class="scroll"><table><thead><tr>
    ${['name', 'source', 'since', 'client', 'channels'].map(k => html`<th scope="col" class=${k === 'channels' ? 'number' : undefined}>${t(k)}</th>`)}
    ${['toTargets', 'toClient'].map(k => html`<th scope="col" class="number">${t(k)}</th>`)}<td></td></tr></thead>
    <tbody>${sessions.map(s => html`<tr key=${s.id}><th scope="row"><a href=${sessionHref(s.id)}>${s.user}</a></th>
      <td>${s.source}</td><td><time datetime=${s.since}>${ago(s.since)}</time></td>
      <td>${s.kind === 'pra' ? 'PRA' : 'SSH'} ${plain(s.version)} ${s.os && html`<small>${plain(s.os)}</small>`}
        ${s.ports.length > 0 && html`<small class="bad">${t('portsTaken', s.ports.length)}</small>`}</td>
      <td class="number">${s.channels}</td>
      <td class="number">${perSecond((rates[s.id] || {}).in)}<small>${bytes(s.bytes_in)}</small></td>
      <td class="number">${perSecond((rates[s.id] || {}).out)}<small>${bytes(s.bytes_out)}</small></td>
      <td>${may.has('session.kill') && html`<${Act} label=${t('endSession')} name=${s.user} danger ask=${t('sureEnd', s.user)} act=${kill(s)} />`}</td></tr>`)}</tbody></table></div>`;
}

// The picture of the last minutes: one bar for each answer, the same numbers in words beside it.
export function Traffic({all, total, channels, children}) {
  const history = useRef([]);
  const last = useRef(null);
  if (all && all !== last.current) {
    last.current = all;
    history.current = [...history.current.slice(-59), all.in + all.out];
  }
  const most = Math.max(1, ...history.current);
  return html`<div class="tiles">${children}<div class="tile"><span>${t('connected')}</span><strong>${total}</strong></div>
    <div class="tile"><span>${t('channels')}</span><strong>${channels}</strong></div>
    <div class="tile wide"><span>${t('traffic')}</span><strong>↑ ${perSecond(all ? all.in : 0)} ・ ↓ ${perSecond(all ? all.out : 0)}</strong>
      <svg class="spark" viewBox="0 0 120 24" preserveAspectRatio="none" aria-hidden="true">
        ${history.current.map((n, i) => html`<rect x=${i * 2} width="1.6" y=${24 - 23 * n / most} height=${1 + 23 * n / most} />`)}</svg></div></div>`;
}

export function Live({may, onOver}) {
  const [text, setText] = useState('');
  const live = useLive(`limit=${LIMIT}${text.trim() ? '&search=' + part(text.trim()) : ''}`, onOver);
  return html`<div><h1>${t('live')}</h1>
    <${Field} label=${t('search')} type="search" hint=${t('liveHint')} value=${text} onInput=${setText} maxlength="64" />
    ${live.away && html`<p class="alert" role="alert">${t('away')}</p>`}
    ${live.error ? html`<${Alert} error=${live.error} />` : !live.data ? html`<p role="status" class="quiet">${t('loading')}</p>`
      : html`<div><${Traffic} all=${live.all} total=${live.data.total} channels=${live.data.channels} />
      ${live.data.sessions.length === 0 ? html`<p class="empty">${t(live.data.total ? 'noSessionFits' : 'nobody')}</p>`
        : html`<${Table} sessions=${live.data.sessions} rates=${live.rates} may=${may} />`}
      ${live.data.matching > LIMIT && html`<p class="quiet">${t('newestOf', LIMIT, live.data.matching)}</p>`}</div>`}
    ${may.has('penalty.show') && html`<${Penalties} may=${may} />`}</div>`;
}

/* ---- one session ---- */

const CHANNELS_EVERY_MS = 2000;

function Channels({session, may, again}) {
  const close = c => async () => { await del(`/sessions/${part(session.id)}/channels/${part(c.id)}`); await again(); };
  if (session.open.length === 0)
    return html`<p class="empty">${t('noChannels')}</p>`;
  return html`<div class="scroll"><table><thead><tr>${['rule', 'target', 'address', 'since'].map(k => html`<th scope="col">${t(k)}</th>`)}
    <th scope="col" class="number">${t('toTargets')}</th><th scope="col" class="number">${t('toClient')}</th><td></td></tr></thead>
    <tbody>${session.open.map(c => html`<tr key=${c.id}><th scope="row">${c.name}</th><td><code>${c.target}</code></td><td><code>${c.address}</code></td>
      <td><time datetime=${c.since}>${ago(c.since)}</time></td><td class="number">${bytes(c.bytes_in)}</td><td class="number">${bytes(c.bytes_out)}</td>
      <td>${may.has('channel.close') && html`<${Act} label=${t('closeChannel')} name=${c.name} danger act=${close(c)} />`}</td></tr>`)}</tbody></table></div>`;
}

export function Session({id, may}) {
  const state = useData(() => watch('/sessions/' + part(id)), id);
  const ended = state.error && state.error.code === 'not-found';
  useEffect(() => {
    const timer = setInterval(() => ended || state.again(), CHANNELS_EVERY_MS);
    return () => clearInterval(timer);
  }, [id, ended]);
  if (ended)
    return html`<div><p><a href="#/live">← ${t('live')}</a></p><p class="empty" role="status">${t('sessionEnded')}</p></div>`;
  return html`<div><p><a href="#/live">← ${t('live')}</a></p><${Loaded} state=${state}>${s => html`<h1>${t('session')}: <a href=${'#/users/' + part(s.user)}>${s.user}</a></h1>
    <section class="card"><dl class="facts">
      <dt>${t('source')}</dt><dd>${s.source}</dd><dt>${t('since')}</dt><dd>${when(s.since)}</dd>
      <dt>${t('client')}</dt><dd>${s.kind === 'pra' ? 'PRA' : 'SSH'} ${plain(s.version)} ${plain(s.os)}</dd>
      <dt>${t('fingerprint')}</dt><dd><code>${s.device}</code></dd><dt>${t('sessionId')}</dt><dd><code>${s.id}</code></dd>
      <dt>${t('connections')}</dt><dd>${s.connections}</dd></dl>
      ${may.has('session.kill') && html`<${Act} label=${t('endSession')} danger ask=${t('sureEnd', s.user)} act=${async () => { await del('/sessions/' + part(id)); await state.again(); }} />`}</section>
    <section class="card"><h2>${t('channels')}</h2><${Channels} session=${s} may=${may} again=${state.again} /></section>
    <section class="card"><h2>${t('inForce')}</h2><${InForce} limits=${s.limits} used=${s.used} /></section>
    ${s.ports.length > 0 && html`<section class="card"><h2>${t('portTrouble')}</h2><ul>${s.ports.map(p =>
      html`<li><code>${p.local}</code>: ${t('port_' + p.state)}${p.program && html` ・ ${p.program} (${p.pid})`}</li>`)}</ul></section>`}`}<//></div>`;
}
