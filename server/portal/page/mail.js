// The queue of mail: what waits, what was sent, what could not be; a test mail.
import {html, useEffect, useState} from './preact.js';
import {ask, del, post} from './api.js';
import {t, when} from './i18n.js';
import {Act, Alert, Field, Form, Loaded, useAction, useData} from './ui.js';

const SHOWN = 100;
const LOOK_MS = 2000;
const STATES = {waiting: 'quiet', sending: 'quiet', sent: 'good', failed: 'bad', expired: 'bad'};
const kind = k => (t('mailKind_' + k) === 'mailKind_' + k ? k : t('mailKind_' + k));

function Test({again}) {
  const [address, setAddress] = useState('');
  const [queued, setQueued] = useState(false);
  const action = useAction(async () => {
    setQueued(false);
    await post('/mail/test', {address});
    setQueued(true);
    await again();
  });
  return html`<section class="card"><h2>${t('mailTest')}</h2><${Form} action=${action} button=${t('mailTestSend')} className="form row">
    <${Field} label=${t('mail')} type="email" value=${address} onInput=${setAddress} autocomplete="email" required />
  <//><${Alert} text=${queued && t('mailTestQueued')} /></section>`;
}

function Row({m, again}) {
  const retry = async () => { await post('/mail/retry', {id: m.id}); await again(); };
  const drop = async () => { await del('/mail/' + m.id); await again(); };
  return html`<tr key=${m.id}><td class="whole">${when(m.finished || m['last-try'] || m.created)}</td>
    <td class=${STATES[m.state]}>${t('mail_' + m.state)}</td><td>${m.to}</td>
    <td>${m.subject}${m.error && html`<small>${m.error}</small>`}</td><td class="whole">${kind(m.kind)}</td>
    <td class="number">${m.tries}${m['next-try'] && html`<small>${t('mailNext')} ${when(m['next-try'])}</small>`}</td>
    <td class="buttons">${(m.state === 'waiting' || m.state === 'failed') && html`<${Act} label=${t('mailRetry')} name=${m.to} act=${retry} />`}
      <${Act} label=${t('remove')} name=${m.to} ask=${t('sureDropMail', m.to)} act=${drop} /></td></tr>`;
}

export function Mail() {
  const state = useData(() => ask('GET', '/mail?limit=' + SHOWN), 'mail');
  // While something is under way its end is worth a look now and then.
  const busy = state.data && state.data.result.some(m => m.state === 'sending' || (m.state === 'waiting' && m.tries === 0));
  useEffect(() => {
    const timer = busy && setInterval(state.again, LOOK_MS);
    return () => clearInterval(timer);
  }, [busy]);
  const retryAll = async () => { await post('/mail/retry', {}); await state.again(); };
  return html`<div><h1>${t('mailPage')}</h1><${Loaded} state=${state}>${({result: list, page: {mail}}) => html`<div>
    ${mail['set-up'] ? html`<${Test} again=${state.again} />` : html`<p class="alert warn" role="status">${t('mailOff')}</p>`}
    <div class="tiles">${[['mailWaiting', mail.waiting], ['mailFailed', mail.failed], ['mailDropped', mail.dropped]].map(([k, n]) =>
      html`<div class="tile"><span>${t(k)}</span><strong>${n}</strong></div>`)}</div>
    ${mail.waiting > 0 && html`<p class="buttons"><${Act} label=${t('mailRetryAll')} act=${retryAll} /></p>`}
    ${list.length === 0 ? html`<p class="empty">${t('mailNone')}</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label=${t('mailPage')}><table><thead><tr>
      ${['mailWhen', 'state', 'mailTo', 'mailSubject', 'mailKind', 'mailTries'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
      <tbody>${list.map(m => html`<${Row} key=${m.id} m=${m} again=${state.again} />`)}</tbody></table></div>`}</div>`}<//></div>`;
}
