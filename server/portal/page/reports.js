// The monthly report, of the organisation or of a user: read here, printed, or taken along as a file.
import {html, useState} from './preact.js';
import {get, post} from './api.js';
import {t, bytes, language} from './i18n.js';
import {kindName} from './audit.js';
import {Act, Field, Loaded, save, useData} from './ui.js';

const SHOWN = 100;
const DAYS = 31;

// The month before this one: "2026-10".
function lastMonth() {
  const now = new Date();
  return new Date(Date.UTC(now.getFullYear(), now.getMonth() - 1, 1)).toISOString().slice(0, 7);
}

const hours = seconds => `${Math.floor(seconds / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}`;
const number = text => html`<td class="number">${text}</td>`;

// A bar for each day; the table below has the numbers.
function Chart({days, label, value, show}) {
  const most = Math.max(0, ...days.map(value));
  return html`<figure class="chart"><figcaption>${label}: ${show(most)}</figcaption>
    <svg viewBox="0 0 620 112" role="img" aria-label=${`${label}: ${show(most)}`}><path d="M0 96H620" />
      ${days.filter(d => value(d) > 0).map(d => {
        const [at, tall] = [Number(d.day.slice(8)) - 1, Math.max(1, value(d) / most * 92)];
        return html`<rect key=${d.day} x=${at * 20 + 2} y=${96 - tall} width="16" height=${tall} />`;
      })}
      ${[...Array(DAYS).keys()].filter(i => i === 0 || i % 5 === 4).map(i => html`<text key=${i} x=${i * 20 + 10} y="109">${i + 1}</text>`)}</svg></figure>`;
}

function Table({title, heads, rows, row}) {
  return rows.length > 0 && html`<section><h2>${title}</h2><div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
    <thead><tr>${heads.map((h, i) => html`<th scope="col" class=${i ? 'number' : ''}>${h}</th>`)}</tr></thead><tbody>${rows.slice(0, SHOWN).map(row)}</tbody></table></div>
    ${rows.length > SHOWN && html`<p class="quiet">${t('reportMore', rows.length - SHOWN)}</p>`}</section>`;
}

function Report({r}) {
  const tiles = [['reportSessions', r.totals.sessions], !r.user && ['reportUsers', r.totals.users], ['reportHours', hours(r.totals.seconds)],
    ['toTargets', bytes(r.totals.bytes_in)], ['toClient', bytes(r.totals.bytes_out)], ['reportRefused', r.totals.refused]].filter(Boolean);
  const traffic = x => [number(bytes(x.bytes_in)), number(bytes(x.bytes_out))];
  const use = x => [number(x.sessions), number(hours(x.seconds)), ...traffic(x), number(x.refused)];
  const heads = [t('reportSessions'), t('reportHours'), t('toTargets'), t('toClient'), t('reportRefused')];
  return html`<div><h2 class="printed">${t('reportOf', r.month)} ${r.user}</h2>
    ${!r.complete && html`<p class="alert warn" role="status">${t('reportSoFar')}</p>`}
    <div class="tiles">${tiles.map(([k, n]) => html`<div class="tile" key=${k}><span>${t(k)}</span><strong>${n}</strong></div>`)}</div>
    ${r.days.length === 0 ? html`<p class="empty">${t('reportNothing')}</p>` : html`<div class="columns">
      <${Chart} days=${r.days} label=${t('reportSessionsADay')} value=${d => d.sessions} show=${String} />
      <${Chart} days=${r.days} label=${t('reportBytesADay')} value=${d => d.bytes_in + d.bytes_out} show=${bytes} /></div>`}
    <${Table} title=${t('reportDays')} heads=${[t('reportDay'), t('users'), ...heads]} rows=${r.days}
      row=${d => html`<tr key=${d.day}><th scope="row">${d.day}</th>${number(d.users)}${use(d)}</tr>`} />
    ${!r.user && html`<${Table} title=${t('reportByUser')} heads=${[t('name'), t('reportDaysUsed'), ...heads]} rows=${r.users}
      row=${u => html`<tr key=${u.user}><th scope="row">${u.user}</th>${number(u.days)}${use(u)}</tr>`} />`}
    <${Table} title=${t('reportByRule')} heads=${[t('rule'), t('channels'), t('toTargets'), t('toClient')]} rows=${r.rules}
      row=${x => html`<tr key=${x.rule}><th scope="row">#${x.rule} ${x.name}</th>${number(x.channels)}${traffic(x)}</tr>`} />
    ${r.alerts && html`<${Table} title=${t('reportAlerts')} heads=${[t('reportSeverity'), t('reportCount')]} rows=${r.alerts}
      row=${x => html`<tr key=${x.severity}><th scope="row">${t('severity_' + (x.severity || 'unjudged'))}</th>${number(x.count)}</tr>`} />`}
    ${r.counts && html`<${Table} title=${t('reportCounts')} heads=${[t('mailKind'), t('reportCount')]} rows=${r.counts}
      row=${x => html`<tr key=${x.kind}><th scope="row">${kindName(x.kind)}</th>${number(x.count)}</tr>`} />`}
    <p class="quiet">${t('reportNote', r.zone)}</p>
    <p class=${r.thinned ? 'alert warn' : 'quiet'}>${r.thinned ? t('reportThinned', r.thinned) : t('reportNotThinned')}</p></div>`;
}

// One's own wish to get it by mail.
function ByMail({me}) {
  const state = useData(() => get('/report/readers'), 'readers');
  const set = off => async () => { await post('/report/subscribe', {off, lang: language()}); await state.again(); };
  return html`<section class="card noprint"><h2>${t('reportByMail')}</h2><p class="quiet">${t('reportByMailHow')}</p><${Loaded} state=${state}>${list => {
    const on = list.some(x => x.account === me.name);
    return html`<div><p class="buttons"><strong class=${on ? 'good' : 'quiet'}>${t(on ? 'twoStepOn' : 'twoStepOff')}</strong><${Act} label=${t(on ? 'turnOff' : 'turnOn')} name=${t('reportByMail')} act=${set(on)} /></p>
      ${list.length > 0 && html`<p class="quiet">${t('reportReaders')}: ${list.map(x => x.account).join(', ')}</p>`}</div>`;
  }}<//></section>`;
}

export function Reports({me}) {
  const [month, setMonth] = useState(lastMonth());
  const [user, setUser] = useState('');
  const [wanted, setWanted] = useState('');
  const query = more => '/report?' + new URLSearchParams({...(month ? {month} : {}), ...(user ? {user} : {}), ...more});
  const state = useData(() => get(query({})), month + user);
  const take = (format, type) => async () => {
    const r = await get(query({format, lang: language()}));
    save(`pra-report-${month}${user && '-' + user}.${format}`, format === 'json' ? JSON.stringify(r, null, 2) : r.text, type);
  };
  return html`<div><h1 class="noprint">${t('reports')}</h1>
    <form class="form row noprint" onSubmit=${e => { e.preventDefault(); setUser(wanted.trim()); }}>
      <${Field} label=${t('reportMonth')} type="month" value=${month} onInput=${setMonth} required />
      <${Field} label=${t('reportUser')} value=${wanted} onInput=${setWanted} autocomplete="off" autocapitalize="none" />
      <button class="primary" type="submit">${t('reportShow')}</button></form>
    <p class="buttons noprint"><button onClick=${() => print()}>${t('print')}</button>
      <${Act} label="HTML" act=${take('html', 'text/html')} /><${Act} label="CSV" act=${take('csv', 'text/csv')} /><${Act} label="JSON" act=${take('json', 'application/json')} /></p>
    <${Loaded} state=${state}>${r => html`<${Report} r=${r} />`}<//>
    <${ByMail} me=${me} /></div>`;
}
