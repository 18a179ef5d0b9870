// Where this tool may be used from: a list of networks, for owners.
import {html, useState} from './preact.js';
import {ask as request, del, get} from './api.js';
import {t, when} from './i18n.js';
import {Act, Alert, Field, Form, Loaded, useAction, useData} from './ui.js';

// Tries, and once more with `confirm` when somebody insists on shutting himself out.
async function insist(change) {
  try {
    return await change(false);
  } catch (error) {
    if (error.code !== 'would-lock-out' || !confirm(t('sureLockOut')))
      throw error;
    return change(true);
  }
}

function Add({again}) {
  const [network, setNetwork] = useState('');
  const [comment, setComment] = useState('');
  const action = useAction(async () => {
    await insist(sure => request('POST', '/access', {network, comment, confirm: sure}));
    setNetwork('');
    setComment('');
    await again();
  });
  return html`<section class="card"><h2>${t('addNetwork')}</h2><${Form} action=${action} button=${t('addNetwork')} className="form row">
    <${Field} label=${t('network')} hint=${t('networkHint')} value=${network} onInput=${setNetwork} autocomplete="off" autocapitalize="none" required />
    <${Field} label=${t('comment')} value=${comment} onInput=${setComment} autocomplete="off" /><//></section>`;
}

export function Access() {
  const state = useData(() => get('/access'), 'access');
  const [note, setNote] = useState('');
  const remove = rule => async () => {
    await insist(sure => del(`/access/${rule.id}${sure ? '?confirm=true' : ''}`));
    setNote(t('networkGone', rule.network));
    await state.again();
  };
  return html`<div><h1>${t('access')}</h1><p>${t('accessHint')}</p><${Alert} text=${note} />
    <${Loaded} state=${state}>${list => (list.length === 0 ? html`<p class="empty">${t('accessEverywhere')}</p>` : html`<div class="scroll"><table>
      <thead><tr>${['network', 'comment', 'added'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
      <tbody>${list.map(r => html`<tr key=${r.id}><th scope="row"><code>${r.network}</code></th><td>${r.comment || ''}</td><td>${when(r.created)}</td>
        <td><${Act} label=${t('delete')} name=${r.network} danger act=${remove(r)} /></td></tr>`)}</tbody></table></div>`)}<//>
    <${Add} again=${state.again} /></div>`;
}
