// The rules of a user or of a group: an ordered list, moved by drag or keyboard, with what is odd about it,
// what-if beside it, and the way back from each change.
import {html, useState} from './preact.js';
import {ask, get, post, del, part, watch} from './api.js';
import {t, when} from './i18n.js';
import {LimitFields, RULE_LIMITS, limitLabel, limitsOf, limitsText} from './limits.js';
import {Act, Alert, Field, Form, Loaded, useAction, useData} from './ui.js';

const EMPTY = {name: '', target: '', local: '', fallback: '', hours: '', from: '', expires: '', action: 'allow', log: false, ...limitsOf(null)};

const filled = rule => Object.fromEntries(Object.entries(rule).filter(([, v]) => v !== '' && v !== null && v !== false));

// RFC 3339 in UTC, and what an input of type datetime-local holds.
const toUtc = local => local && new Date(local).toISOString().slice(0, 19) + 'Z';
const toLocal = utc => (utc ? new Date(Date.parse(utc) - new Date(utc).getTimezoneOffset() * 60000).toISOString().slice(0, 16) : '');

function Fields({rule, set}) {
  const deny = rule.action === 'deny';
  return html`<div class="form row">
    <${Field} label=${t('ruleName')} value=${rule.name} onInput=${set('name')} autocomplete="off" required />
    <${Field} label=${t('target')} value=${rule.target} onInput=${set('target')} placeholder="mail.example.com:110" autocomplete="off" required />
    <${Field} label=${t('action')}>${id => html`<select id=${id} value=${rule.action} onChange=${e => set('action')(e.target.value)}>
      <option value="allow">${t('allow')}</option><option value="deny">${t('deny')}</option></select>`}<//>
    ${!deny && html`<${Field} label=${t('local')} value=${rule.local} onInput=${set('local')} placeholder="110" autocomplete="off" />`}
    ${!deny && html`<${Field} label=${t('fallback')} hint=${t('fallbackHint')} value=${rule.fallback} onInput=${set('fallback')} placeholder="1110" autocomplete="off" />`}
    <${Field} label=${t('hours')} hint=${t('hoursHint')} value=${rule.hours} onInput=${set('hours')} autocomplete="off" />
    <${Field} label=${t('expires')} type="datetime-local" value=${rule.expires} onInput=${set('expires')} />
    <${Field} label=${t('from')} hint=${t('fromHint')} value=${rule.from} onInput=${set('from')} autocomplete="off" />
    <label class="check"><input type="checkbox" checked=${rule.log} onChange=${e => set('log')(e.target.checked)} /> ${t('logUse')}</label>
    ${!deny && html`<details class="wide"><summary>${t('limitsOfRule')}</summary><p class="quiet">${t('limitsRule')}</p><${LimitFields} values=${rule} set=${set} /></details>`}</div>`;
}

function useRule(first) {
  const [rule, setRule] = useState(first);
  return [rule, member => value => setRule(old => ({...old, [member]: value, ...(value === 'deny' ? {local: '', fallback: ''} : {})})), setRule];
}

function Add({owner, again}) {
  const [rule, set, setRule] = useRule(EMPTY);
  const [warnings, setWarnings] = useState([]);
  const action = useAction(async () => {
    const answer = await ask('POST', '/rules', {...owner, ...filled({...rule, expires: toUtc(rule.expires)})});
    setWarnings(answer.warnings || []);
    setRule(EMPTY);
    await again({done: t('didAdd', answer.result.name), undo: () => del('/rules/' + answer.result.id)});
  });
  return html`<details><summary>${t('addRule')}</summary><p class="quiet">${t('fixedPorts')}</p>
    ${warnings.map(w => html`<p class="alert warn" role="status">△ ${w}</p>`)}
    <${Form} action=${action} button=${t('addRule')}><${Fields} rule=${rule} set=${set} /><//></details>`;
}

// A rule as a form holds it: its limits stand beside its other members.
const members = r => ({...Object.fromEntries(Object.keys(EMPTY).map(m => [m, r[m] ?? ''])), log: r.log, ...limitsOf(r.limits)});

// A rule is changed where it stands.
function Edit({r, again, onClose}) {
  const [rule, set] = useRule({...members(r), expires: toLocal(r.expires)});
  const action = useAction(async () => {
    const expires = rule.expires === toLocal(r.expires) ? r.expires || '' : toUtc(rule.expires);
    const answer = await ask('PATCH', '/rules/' + r.id, {...rule, expires});
    onClose();
    await again({done: t('didSet', answer.result.name), undo: () => ask('PATCH', '/rules/' + r.id, members(r)), warnings: answer.warnings});
  });
  return html`<section class="edit" aria-label=${t('changeRule')}><h3>${t('changeRule')}: ${r.name}</h3><${Form} action=${action} button=${t('save')}><${Fields} rule=${rule} set=${set} /><//>
    <p><button class="link" onClick=${onClose}>${t('cancel')}</button></p></section>`;
}

/* ---- what was done ---- */

const SHOWN = [...Object.keys(EMPTY), 'position'];

// What differs between two states of a rule.
function differences({what, before, after}) {
  if (what === 'add' || what === 'delete')
    return (after || before).target;
  const [old, now] = [before, after].map(r => ({...r, ...r.limits}));
  const label = m => (RULE_LIMITS.includes(m) ? limitLabel(m) : t(m === 'log' ? 'logUse' : m === 'name' ? 'ruleName' : m));
  return SHOWN.filter(m => old[m] !== now[m]).map(m => `${label(m)}: ${old[m] ?? '-'} → ${now[m] ?? '-'}`).join(', ');
}

function Changes({owner, may, again}) {
  const state = useData(() => get('/rules/history?' + new URLSearchParams(owner)), JSON.stringify(owner));
  const undo = c => async () => { await post(`/rules/history/${c.id}/undo`); await state.again(); await again(); };
  return html`<${Loaded} state=${state}>${changes => (changes.length === 0 ? html`<p class="empty">${t('noChanges')}</p>`
    : html`<ul class="rows">${changes.map(c => html`<li key=${c.id}><time datetime=${c.time}>${when(c.time)}</time><span>${c.by}</span><strong>${t('change_' + c.what)}: ${(c.after || c.before).name}</strong>
      <small>${differences(c)}</small>${c.undone ? html`<span class="quiet">${t('wasUndone')}</span>`
      : may.has('rule.undo') ? html`<${Act} label=${t('undo')} name=${(c.after || c.before).name} act=${undo(c)} />` : html`<span></span>`}</li>`)}</ul>`)}<//>`;
}

function History(props) {
  const [open, setOpen] = useState(false);
  return html`<details onToggle=${e => setOpen(e.target.open)}><summary>${t('changeLog')}</summary>${open && html`<${Changes} ...${props} />`}</details>`;
}

// What-if: which rule decides for a target, from an address, at a time.
function Explain({user, onRule}) {
  const [query, setQuery] = useState({target: '', from: '', at: ''});
  const [found, setFound] = useState(null);
  const set = member => value => setQuery(old => ({...old, [member]: value}));
  const action = useAction(async () => {
    setFound(null);
    const at = query.at && new Date(query.at).toISOString().slice(0, 19) + 'Z';
    const answer = await get('/explain?' + new URLSearchParams(filled({user, ...query, at})));
    setFound(answer);
    onRule(answer.rule);
  });
  const why = found && 'explain_' + found.reason;
  const word = found && (found.decision === 'allow' || found.decision === 'deny' ? found.decision : 'unknown');
  return html`<div class="beside"><h3>${t('explain')}</h3><${Form} action=${action} button=${t('check')}>
    <${Field} label=${t('target')} value=${query.target} onInput=${set('target')} placeholder="mail.example.com:110" autocomplete="off" required />
    <${Field} label=${t('source')} hint=${t('optional')} value=${query.from} onInput=${set('from')} autocomplete="off" />
    <${Field} label=${t('at')} hint=${t('optional')} type="datetime-local" value=${query.at} onInput=${set('at')} /><//>
    <p role="status">${found && html`<strong class=${word === 'allow' ? 'good' : 'bad'}>${t(word)}</strong> ${t(why, found.name || '') === why ? found.sentence : t(why, found.name || '')}`}</p></div>`;
}

function Finding({f}) {
  return html`<small class="warning">△ ${t('finding_' + f.kind, f['by-name'] || '')}</small>`;
}

// What was just done, with the way back.
function Undo({last, again, onClose}) {
  const action = useAction(async () => { await last.undo(); onClose(); await again(); });
  return html`<div class="alert good undo" role="status"><span>${last.done}${(last.warnings || []).map(w => html` △ ${w}`)}</span>${last.undo &&
    html`<button disabled=${action.busy} onClick=${action.run}>${t('undo')}</button>`}<button class="link" onClick=${onClose}>${t('close')}</button>
    <${Alert} error=${action.error} /></div>`;
}

// What connected PCs say of a local port: the port plan shows where it does not work.
function Taken({ports, local}) {
  return ports.filter(p => p.local === local).map(p => html`<small class="bad">× ${t('takenOn', p.pcs)} ${p.program || t('port_' + p.state)}</small>`);
}

// When, from where and how much: what a rule has beside its target.
function conditions(r) {
  const said = [r.hours && html`${t('hours')}: ${r.hours}`, r.expires && html`${t('until')} ${when(r.expires)}`, r.from && html`${t('from')}: <code>${r.from}</code>`,
    r.limits && limitsText(r.limits), r.log && t('logUse')].filter(Boolean);
  return said.map(s => html`<small>${s}</small>`);
}

function Row({r, first, last, marked, findings, ports, may, move, remove, edit, drag}) {
  const key = e => {
    const by = {ArrowUp: -1, ArrowDown: 1}[e.key];
    if (!e.altKey || !by || (by < 0 ? first : last))
      return;
    e.preventDefault();
    move(r, r.position + by);
  };
  return html`<tr class=${marked ? 'marked' : ''} draggable=${may.has('rule.move') ? 'true' : undefined} onKeyDown=${key}
    onDragStart=${e => { e.dataTransfer.setData('text/plain', String(r.id)); drag(r); }} onDragOver=${e => e.preventDefault()}
    onDrop=${e => { e.preventDefault(); drag(null, r); }}>
    <td class="number">${may.has('rule.move') && html`<span class="grip" aria-hidden="true">⠿</span>`} ${r.position}</td>
    <th scope="row">${r.name}${conditions(r)}${findings.map(f => html`<${Finding} f=${f} />`)}</th>
    <td class=${r.action === 'allow' ? 'good' : 'bad'}>${t(r.action)}</td><td><code>${r.target}</code></td>
    <td>${r.local && html`<code>${r.local}</code><${Taken} ports=${ports} local=${r.local} />`}${r.fallback && html`<small>${t('or')} <code>${r.fallback}</code></small><${Taken} ports=${ports} local=${r.fallback} />`}</td>
    <td class="buttons">${may.has('rule.move') && !first && html`<${Act} label=${t('up')} icon="↑" name=${r.name} act=${() => move(r, r.position - 1)} />`}
    ${may.has('rule.move') && !last && html`<${Act} label=${t('down')} icon="↓" name=${r.name} act=${() => move(r, r.position + 1)} />`}
    ${may.has('rule.set') && html`<button aria-label=${`${t('changeRule')}: ${r.name}`} title=${t('changeRule')} onClick=${() => edit(r)}>✎</button>`}
    ${may.has('rule.delete') && html`<${Act} label=${t('remove')} name=${r.name} danger ask=${t('sureRule', r.name)} act=${() => remove(r)} />`}</td></tr>`;
}

// The rules of the groups that a user is in: read after his own.
function Inherited({user}) {
  const state = useData(async () => (await get(`/rules?user=${part(user)}&effective=true`)).filter(r => r.group), user);
  return html`<details><summary>${t('groupRules')}</summary><${Loaded} state=${state}>${rules => (rules.length === 0
    ? html`<p class="empty">${t('noGroupRules')}</p>`
    : html`<div class="scroll"><table><thead><tr>${['groups', 'ruleName', 'action', 'target', 'local', 'hours'].map(k => html`<th scope="col">${t(k)}</th>`)}</tr></thead>
      <tbody>${rules.map(r => html`<tr key=${r.id}><td><a href=${'#/groups/' + part(r.group)}>${r.group}</a></td><th scope="row">${r.name}</th>
        <td class=${r.action === 'allow' ? 'good' : 'bad'}>${t(r.action)}</td><td><code>${r.target}</code></td><td>${r.local && html`<code>${r.local}</code>`}</td><td>${r.hours}</td></tr>`)}</tbody></table></div>`)}<//></details>`;
}

// One of `user` and `group`.
export function Rules({user, group, may}) {
  const owner = user ? {user} : {group};
  const query = new URLSearchParams(owner);
  const state = useData(async () => {
    const [rules, findings, ports] = await Promise.all([get('/rules?' + query), get('/rules/check?' + query),
      may.has('port.trouble') ? watch('/ports').catch(() => []) : []]);
    return {rules, findings, ports};
  }, query.toString());
  const [last, setLast] = useState(null);
  const [marked, setMarked] = useState(null);
  const [dragged, setDragged] = useState(null);
  const [edited, setEdited] = useState(null);
  const [error, setError] = useState(null);
  const again = async what => { setLast(what || null); await state.again(); };
  const move = async (r, position) => {
    setError(null);
    try {
      await post(`/rules/${r.id}/move`, {position});
      await again({done: t('didMove', r.name, position), undo: () => post(`/rules/${r.id}/move`, {position: r.position})});
    } catch (e) {
      setError(e);
    }
  };
  const remove = async r => {
    await del('/rules/' + r.id);
    await again({done: t('didRemove', r.name), undo: () => post('/rules', filled({...members(r), position: r.position, group: r.group || '', user: r.user || ''}))});
  };
  const drag = (from, to) => {
    if (to && dragged && dragged.id !== to.id)
      move(dragged, to.position);
    setDragged(from);
  };
  return html`<section class="card"><h2>${t('rules')}</h2><p class="quiet">${t('order')} ${t(user ? 'orderUser' : 'orderGroup')}</p>
    ${last && html`<${Undo} key=${last.done} last=${last} again=${again} onClose=${() => setLast(null)} />`}<${Alert} error=${error} />
    <div class=${user && may.has('explain') ? 'split' : ''}><${Loaded} state=${state}>${({rules, findings, ports}) =>
    (rules.length === 0 ? html`<p class="empty">${t('noRules')}</p>`
      : html`<div class="scroll"><table><thead><tr>${['position', 'ruleName', 'action', 'target', 'local'].map(k => html`<th scope="col">${t(k)}</th>`)}<td></td></tr></thead>
        <tbody>${rules.map((r, i) => html`<${Row} key=${r.id} r=${r} first=${i === 0} last=${i === rules.length - 1} marked=${marked === r.id}
          findings=${findings.filter(f => f.rule === r.id)} ...${{ports, may, move, remove, drag, edit: setEdited}} />`)}</tbody></table></div>
        ${may.has('rule.move') && rules.length > 1 && html`<p class="quiet">${t('moveHint')}</p>`}`)}<//>
    ${user && may.has('explain') && html`<${Explain} user=${user} onRule=${setMarked} />`}</div>
    ${edited && html`<${Edit} key=${edited.id} r=${edited} again=${again} onClose=${() => setEdited(null)} />`}
    ${user && html`<${Inherited} user=${user} />`}
    ${may.has('rule.history') && html`<${History} owner=${owner} may=${may} again=${again} />`}
    ${may.has('rule.add') && html`<${Add} owner=${owner} again=${again} />`}</section>`;
}
