// Users and rules as CSV tables: saved, and read in again after a look at what that would do.
import {html, useState} from './preact.js';
import {post} from './api.js';
import {t, sentence} from './i18n.js';
import {Alert, Field, Form, useAction} from './ui.js';

const SHOWN = 100;

const fault = key => Object.assign(new Error(t(key)), {code: 'invalid', status: 400});

// Excel writes UTF-8 or, in Japan, Shift_JIS. Gives [text, what it was].
async function read(file) {
  const bytes = await file.arrayBuffer().catch(() => { throw fault('fileChanged'); });
  for (const encoding of ['utf-8', 'shift_jis'])
    try {
      return [new TextDecoder(encoding, {fatal: true, ignoreBOM: true}).decode(bytes), encoding];
    } catch { /* the next one */ }
  throw fault('noText');
}

function Problems({report}) {
  return html`<div class="scroll"><table><thead><tr><th scope="col" class="number">${t('line')}</th><th scope="col">${t('column')}</th><th scope="col">${t('problem')}</th></tr></thead>
    <tbody>${report.problems.slice(0, SHOWN).map(p => html`<tr><td class="number">${p.line}</td><td>${p.column && html`<code>${p.column}</code>`}${p.cell && html` <small>${t('cellNo', p.cell)}</small>`}</td>
      <td class="bad">× ${sentence(p.problem)}</td></tr>`)}</tbody></table></div>
    ${report['problem-count'] > SHOWN && html`<p class="quiet">${t('firstOf', SHOWN, report['problem-count'])}</p>`}`;
}

const summary = r => t('importSum', r.rows, r.added, r.changed, r.removed, r.unchanged);

function Import({done}) {
  const [kind, setKind] = useState('users');
  const [replace, setReplace] = useState(true);
  const [file, setFile] = useState(null);
  const [table, setTable] = useState(null); // what was looked at, so that nothing else is imported
  const [report, setReport] = useState(null);
  const [result, setResult] = useState('');
  const body = csv => (kind === 'rules' ? {csv, replace} : {csv});
  const look = useAction(async () => {
    setResult('');
    setReport(null);
    const [text, encoding] = await read(file);
    setTable({text, encoding});
    setReport(await post(`/${kind}/import/check`, body(text)));
  });
  const act = useAction(async () => {
    const r = await post(`/${kind}/import`, body(table.text));
    setReport(null);
    setResult(t('imported') + ' ' + summary(r));
    await done();
  });
  const change = set => value => { setTable(null); setReport(null); setResult(''); set(value); };
  return html`<${Form} action=${look} button=${t('preview')} className="form row">
      <${Field} label=${t('tableKind')}>${id => html`<select id=${id} value=${kind} onChange=${e => change(setKind)(e.target.value)}>
        <option value="users">${t('users')}</option><option value="rules">${t('rules')}</option></select>`}<//>
      <${Field} label=${t('csvFile')} hint=${t(kind === 'users' ? 'csvUsersHint' : 'csvRulesHint')}>${id => html`<input id=${id} type="file" accept=".csv,text/csv" required onClick=${e => { e.target.value = ''; }} onChange=${e => change(setFile)(e.target.files[0])} />`}<//>
      ${kind === 'rules' && html`<label class="check"><input type="checkbox" checked=${replace} onChange=${e => change(setReplace)(e.target.checked)} /> ${t('replaceRules')}</label>`}<//>
    ${table && table.encoding !== 'utf-8' && html`<p class="alert warn" role="status">△ ${t('readAs', 'Shift_JIS')}</p>`}
    ${report && html`<div role="status"><h3>${t('preview')}</h3><p>${summary(report)}</p>${report['problem-count'] > 0
      ? html`<p class="bad">× ${t('problems', report['problem-count'])}</p><${Problems} report=${report} />`
      : html`<p class="good">● ${t('noProblems')}</p><button class="primary" disabled=${act.busy} onClick=${() => act.run()}>${t('importNow')}</button>`}</div>`}
    <${Alert} error=${act.error} /><${Alert} text=${result} />`;
}

export function Tables({may, done}) {
  return html`<section class="card"><h2>${t('csvTables')}</h2>
    <p class="buttons">${[['users', 'exportUsers'], ['rules', 'exportRules']].map(([kind, words]) => html`<a href=${`/api/v1/${kind}/table`} download>${t(words)}</a>`)}</p>
    ${may.has('user.import') && html`<details><summary>${t('importTable')}</summary><${Import} done=${done} /></details>`}</section>`;
}
