// Enrollment: a code for a user's PC, and the PCs that wait for somebody to say yes or no.
import {html, useEffect, useState} from './preact.js';
import {post, part, watch} from './api.js';
import {t, ago, when} from './i18n.js';
import {Act, Alert, Field, Loaded, Pager, useAction, useData, usePaged} from './ui.js';

const EVERY_MS = 3000;

// The code is shown this once, with what the user has to type.
function Made({made, onClose}) {
  return html`<div class="alert warn" role="status"><p>${t('codeOnce', made.user, when(made.expires))}</p>
    <p><code class="secret">${made.code}</code></p><p><code>pra enroll --code ${made.code}</code></p>
    <button onClick=${onClose}>${t('written')}</button></div>`;
}

export function Requests({rows, user, may, again}) {
  const decide = (e, verb) => async () => {
    await post(`/enrollments/${e.id}/${verb}`);
    await again();
  };
  return html`<div class="scroll"><table><thead><tr>${[...(user ? [] : ['name']), 'device', 'state', 'binding', 'source', 'requested'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
    <tbody>${rows.map(e => html`<tr key=${e.id}>${!user && html`<td><a href=${'#/users/' + part(e.user)}>${e.user}</a></td>`}
      <th scope="row">${e.computer || '-'}${e.fingerprint && html`<small><code>${e.fingerprint}</code></small>`}${e.os && html`<small>${e.os}</small>`}</th>
      <td class=${{waiting: 'warn', approved: 'good', denied: 'bad'}[e.state] || 'quiet'}>${t('enroll_' + e.state)}<small>${e['decided-by'] || e['created-by']}</small></td>
      <td>${e.binding ? html`<span class=${e.binding === 'bound' ? 'good' : 'bad'}>${t(e.binding)}</span>` : ''}</td><td>${e.source || ''}</td>
      <td>${e.requested ? html`<time datetime=${e.requested}>${ago(e.requested)}</time>` : html`<small>${t('goodUntil', when(e.expires))}</small>`}</td>
      <td class="buttons">${may.has('enroll.approve') && e.state === 'waiting' && html`<${Act} label=${t('approve')} name=${e.computer} ask=${t('sureApprove', e.user, e.fingerprint)} act=${decide(e, 'approve')} />`}
        ${may.has('enroll.deny') && (e.state === 'waiting' || e.state === 'open') && html`<${Act} label=${t(e.state === 'open' ? 'withdraw' : 'refuse')} name=${e.computer || e.user} danger act=${decide(e, 'deny')} />`}</td></tr>`)}</tbody></table></div>`;
}

// On a user's page: his codes and requests; `onKey` is called when a key may have come of one.
export function EnrollCard({user, may, onKey}) {
  const [made, setMade] = useState(null);
  const state = useData(() => watch('/enrollments?user=' + part(user)), user);
  useEffect(() => {
    const timer = setInterval(state.again, EVERY_MS);
    return () => clearInterval(timer);
  }, [user]);
  const make = useAction(async () => { setMade(await post('/enrollments', {user})); await state.again(); });
  const again = async () => { await state.again(); await onKey(); };
  const undecided = (state.data || []).filter(e => e.state === 'waiting' || e.state === 'open');
  if (!may.has('enroll.code') && undecided.length === 0)
    return null;
  return html`<div><h3>${t('enroll')}</h3>${made && html`<${Made} made=${made} onClose=${() => setMade(null)} />`}
    <${Loaded} state=${state}>${() => undecided.length > 0 && html`<${Requests} rows=${undecided} user=${user} may=${may} again=${again} />`}<//>
    ${may.has('enroll.code') && html`<p class="buttons"><button disabled=${make.busy} onClick=${make.run}>${t('makeCode')}</button><small>${t('codeHint')}</small></p>`}
    <${Alert} error=${make.error} /></div>`;
}

export function Enrollments({may}) {
  const list = usePaged('/enrollments');
  useEffect(() => {
    const timer = setInterval(() => list.text === '' && list.page === 0 && list.again(), EVERY_MS);
    return () => clearInterval(timer);
  }, [list.text, list.page]);
  return html`<div><h1>${t('enroll')}</h1><p class="quiet">${t('enrollAbout')}</p>
    <${Field} label=${t('search')} type="search" value=${list.text} onInput=${list.search} />
    <${Loaded} state=${list}>${({rows}) => (rows.length === 0 ? html`<p class="empty">${t('nobodyEnrols')}</p>`
      : html`<${Requests} rows=${rows} may=${may} again=${list.again} />`)}<//><${Pager} list=${list} /></div>`;
}
