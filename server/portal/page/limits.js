// Limits after login: of a user, of a group's members, of a rule; and what is in force in a session.
import {html, useState} from './preact.js';
import {ask, get} from './api.js';
import {t, bytes} from './i18n.js';
import {Field, Form, Loaded, useAction, useData} from './ui.js';

export const RULE_LIMITS = ['max-connections', 'rate', 'burst', 'upload', 'download', 'channel-idle'];
const USER_LIMITS = [...RULE_LIMITS, 'max-sessions', 'max-sessions-per-device', 'quota-day', 'quota-month', 'session-idle', 'session-time'];

const HINTS = {upload: 'limitUnit', download: 'limitUnit', 'quota-day': 'limitUnit', 'quota-month': 'limitUnit',
  'channel-idle': 'limitTime', 'session-idle': 'limitTime', 'session-time': 'limitTime'};

export const limitLabel = name => t('limit_' + name);

// What a form holds of limits that are set or not.
export const limitsOf = (limits, names = RULE_LIMITS) => Object.fromEntries(names.map(n => [n, (limits || {})[n] || '']));

export function LimitFields({values, set, names = RULE_LIMITS, inForce}) {
  return html`<div class="form row">${names.map(n => html`<${Field} key=${n} label=${limitLabel(n)} hint=${HINTS[n] && t(HINTS[n])}
    value=${values[n] || ''} placeholder=${(inForce || {})[n]} onInput=${set(n)} autocomplete="off" />`)}</div>`;
}

export const limitsText = limits => Object.entries(limits || {}).map(([n, v]) => `${limitLabel(n)}: ${v}`).join(', ');

// Facts of a session or a user: each limit that holds, and what of it is used up.
export function InForce({limits, used}) {
  const parts = {'max-connections': used && used.connections, 'quota-day': used && bytes(used.day), 'quota-month': used && bytes(used.month)};
  const set = Object.entries(limits || {}).filter(([, v]) => v !== 'none');
  return html`<div>${set.length === 0 ? html`<p class="empty">${t('noLimits')}</p>`
    : html`<dl class="facts">${set.map(([n, v]) => html`<dt>${limitLabel(n)}</dt><dd>${parts[n] !== undefined && parts[n] !== null ? `${parts[n]} / ` : ''}${v}</dd>`)}</dl>`}
    ${used && html`<p class="quiet">${t('limit_used')}: ${bytes(used.day)} (${t('limit_day')}), ${bytes(used.month)} (${t('limit_month')})</p>`}</div>`;
}

function Change({path, answer, again}) {
  const [values, setValues] = useState(limitsOf(answer.own, USER_LIMITS));
  const set = name => value => setValues(old => ({...old, [name]: value}));
  const action = useAction(async () => { await ask('PATCH', path, values); await again(); });
  return html`<details><summary>${t('changeLimits')}</summary><${Form} action=${action} button=${t('save')}>
    <${LimitFields} values=${values} set=${set} names=${USER_LIMITS} inForce=${answer.limits} /><//></details>`;
}

// One of a user and a group; `path` is its address in the API.
export function LimitCard({path, user, may}) {
  const state = useData(() => get(path), path);
  return html`<section class="card"><h2>${t('limits')}</h2><p class="quiet">${t(user ? 'limitsUser' : 'limitsGroup')}</p>
    <${Loaded} state=${state}>${answer => html`<div><${InForce} limits=${user ? answer.limits : answer.own} used=${answer.used} />
      ${may.has(user ? 'user.limit' : 'group.limit') && html`<${Change} key=${JSON.stringify(answer.own)} path=${path} answer=${answer} again=${state.again} />`}</div>`}<//></section>`;
}
