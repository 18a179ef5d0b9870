// Sources that are held off for a while, before any log-in, since too many connections from there came to nothing.
import {html, useEffect} from './preact.js';
import {del, part, watch} from './api.js';
import {t, inTime, when} from './i18n.js';
import {Act, Loaded, useData} from './ui.js';

const EVERY_MS = 10000;

function Rows({rows, may, forgive}) {
  return html`<div class="scroll"><table><thead><tr>${['source', 'penaltyEffect', 'penaltyUntil'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
    <tbody>${rows.map(p => html`<tr key=${p.source}><th scope="row"><code>${p.source}</code></th>
      <td class=${p.known ? 'warn' : 'bad'}>${t(p.known ? 'penaltyKnown' : 'penaltyStranger')}</td>
      <td><time datetime=${p.until}>${when(p.until)}</time><small>${inTime(p.until)}</small></td>
      <td>${may.has('penalty.clear') && html`<${Act} label=${t('forgive')} name=${p.source} act=${forgive(p.source)} />`}</td></tr>`)}</tbody></table></div>`;
}

export function Penalties({may}) {
  const state = useData(() => watch('/penalties'), '');
  useEffect(() => {
    const timer = setInterval(state.again, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const forgive = source => async () => { await del('/penalties' + (source ? '?source=' + part(source) : '')); await state.again(); };
  return html`<section class="card"><h2>${t('penalties')}</h2><p class="quiet">${t('penaltiesHint')}</p>
    <${Loaded} state=${state}>${rows => (rows.length === 0 ? html`<p class="empty">${t('noPenalties')}</p>`
      : html`<div><${Rows} rows=${rows} may=${may} forgive=${forgive} />
        ${may.has('penalty.clear') && rows.length > 1 && html`<p class="buttons"><${Act} label=${t('forgiveAll')} ask=${t('sureForgiveAll')} act=${forgive('')} /></p>`}</div>`)}<//></section>`;
}
