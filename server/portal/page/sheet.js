// The sheet that a user gets on paper (A17): name, address, ports, and the steps for the mail program.
import {html, useState} from './preact.js';
import {get, part} from './api.js';
import {t} from './i18n.js';
import {Field, Form, Loaded, save, useAction, useData} from './ui.js';

// What a forward is for, by its target's port.
const USES = {25: 'useSmtp', 465: 'useSmtp', 587: 'useSmtp', 110: 'usePop', 995: 'usePop', 143: 'useImap', 993: 'useImap', 8080: 'useProxy', 3128: 'useProxy', 3389: 'useRdp', 80: 'useWeb', 443: 'useWeb'};
// Where the port tells nothing, the rule's name may.
const NAMES = [[/smtp|送信/i, 'useSmtp'], [/pop|受信/i, 'usePop'], [/imap/i, 'useImap'], [/proxy|プロキシ/i, 'useProxy'], [/rdp|リモートデスクトップ|remote desktop/i, 'useRdp']];
const useOf = r => USES[r.target.match(/:(\d+)$/)[1]] || (NAMES.find(([pattern]) => pattern.test(r.name)) || [])[1];

function Mail({rules}) {
  const local = use => (rules.find(r => useOf(r) === use) || {}).local;
  const steps = [local('usePop') && t('stepIncoming', 'POP', ...local('usePop').split(':')), local('useImap') && t('stepIncoming', 'IMAP', ...local('useImap').split(':')),
    local('useSmtp') && t('stepOutgoing', ...local('useSmtp').split(':'))].filter(Boolean);
  return steps.length > 0 && html`<div><h2>${t('mailProgram')}</h2><ol>${steps.map(s => html`<li>${s}</li>`)}</ol></div>`;
}

// The file by which only the company's names go through the proxy (A12).
function Pac({local}) {
  const [names, setNames] = useState(localStorage.getItem('pacNames') || '');
  const action = useAction(async () => {
    localStorage.setItem('pacNames', names);
    save('proxy.pac', (await get('/pac?' + new URLSearchParams({names, local}))).text, 'application/x-ns-proxy-autoconfig');
  });
  return html`<section class="card noprint"><h2>${t('pacFile')}</h2><p class="quiet">${t('pacWhy')}</p><${Form} action=${action} button=${t('getPac')} className="form row">
    <${Field} label=${t('pacNames')} hint=${t('pacHint')} value=${names} onInput=${setNames} placeholder="example.co.jp" autocomplete="off" required /><//></section>`;
}

export function Sheet({name}) {
  const server = localStorage.getItem('server') || location.hostname;
  const state = useData(async () => {
    const [profile, rules] = await Promise.all([get(`/users/${part(name)}/profile?` + new URLSearchParams({server})), get(`/rules?user=${part(name)}&effective=true`)]);
    return {profile, rules: rules.filter(r => r.local && r.action === 'allow')};
  }, name);
  return html`<div><p class="noprint buttons"><a href=${'#/users/' + part(name)}>← ${name}</a><button onClick=${() => print()}>${t('print')}</button></p>
    <${Loaded} state=${state}>${({profile, rules}) => html`<div><article class="sheet"><h1>${t('sheetTitle')}</h1>
      <table><tbody><tr><th scope="row">${t('name')}</th><td>${profile.user}</td></tr><tr><th scope="row">${t('sus')}</th><td>${profile.server}${profile.port === 10022 ? '' : ':' + profile.port}</td></tr>
        <tr><th scope="row">${t('fingerprint')}</th><td><code>${profile.fingerprint}</code></td></tr></tbody></table>
      <h2>${t('localPorts')}</h2>${rules.length === 0 ? html`<p>${t('noRules')}</p>` : html`<table><thead><tr><th scope="col">${t('use')}</th><th scope="col">${t('ruleName')}</th><th scope="col">${t('thisPc')}</th></tr></thead>
        <tbody>${rules.map(r => html`<tr key=${r.id}><td>${useOf(r) ? t(useOf(r)) : ''}</td><th scope="row">${r.name}</th><td><code>${r.local}</code>${r.fallback && html` ${t('or')} <code>${r.fallback}</code>`}</td></tr>`)}</tbody></table>`}
      <h2>${t('firstSteps')}</h2><ol><li>${t('stepProfile', name + '.pra')}</li><li>${t('stepKey')}</li><li>${t('stepConnect')}</li></ol>
      <${Mail} rules=${rules} />${rules.some(r => useOf(r) === 'useProxy') && html`<div><p>${t('proxyNote')}</p><p>${t('stepPac', 'proxy.pac')}</p></div>`}<p>${t('caseNote')}</p></article>
    ${rules.filter(r => useOf(r) === 'useProxy').slice(0, 1).map(r => html`<${Pac} local=${r.local} />`)}</div>`}<//></div>`;
}
