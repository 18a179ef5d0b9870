// What is handed out: the installers of the client, with what they can be checked by.
import {html} from './preact.js';
import {get, part} from './api.js';
import {t, bytes} from './i18n.js';
import {Loaded, useData} from './ui.js';

const numbers = version => version.split('.').map(n => parseInt(n, 10) || 0);

// Is version `a` older than `b`?
export function older(a, b) {
  const [x, y] = [numbers(a), numbers(b)];
  const i = [...Array(Math.max(x.length, y.length)).keys()].find(n => (x[n] || 0) !== (y[n] || 0));
  return i !== undefined && (x[i] || 0) < (y[i] || 0);
}

// The newest version that is handed out; undefined: none is.
export async function newest() {
  const versions = (await get('/downloads')).map(d => d.version).filter(Boolean);
  return versions.reduce((best, v) => (best === undefined || older(best, v) ? v : best), undefined);
}

export function Downloads() {
  const state = useData(() => get('/downloads'), '');
  return html`<section class="card"><h2>${t('downloads')}</h2><${Loaded} state=${state}>${files => (files.length === 0
    ? html`<p class="empty">${t('noDownloads')}</p>`
    : html`<div class="scroll"><table><thead><tr><th scope="col">${t('file')}</th><th scope="col">${t('version')}</th><th scope="col" class="number">${t('size')}</th><th scope="col">SHA-256</th></tr></thead>
      <tbody>${files.map(f => html`<tr key=${f.name}><th scope="row"><a href=${'/api/v1/downloads/' + part(f.name)} download=${f.name}>${f.name}</a></th><td>${f.version}</td>
        <td class="number">${bytes(f.size)}</td><td><small><code>${f.sha256}</code></small></td></tr>`)}</tbody></table></div>`)}<//></section>`;
}
