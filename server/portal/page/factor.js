// A user's second factor: is it wanted, his authenticator app, recovery codes; and a group's policy.
import {html, useState} from './preact.js';
import {api, del, get, post, part} from './api.js';
import {t, when} from './i18n.js';
import {Qr} from './account.js';
import {Codes} from './security.js';
import {Act, Alert, Field, Form, Loaded, useAction, useData} from './ui.js';

const POLICIES = ['inherit', 'required', 'off'];

// What is set for a user or a group itself; `path` is where it is kept.
function Policy({path, policy, again, group}) {
  const change = useAction(async value => { await api('PUT', path + '/factor/policy', {policy: value}); await again(); });
  return html`<${Field} label=${t('factorPolicy')}>${id => html`<select id=${id} value=${policy} disabled=${change.busy}
      onChange=${e => change.run(e.target.value)}>${POLICIES.map(p => html`<option value=${p}>${t(group && p === 'inherit' ? 'asGateway' : 'policy_' + p)}</option>`)}</select>`}<//>
    <${Alert} error=${change.error} />`;
}

function Confirm({user, secret, onCodes}) {
  const [code, setCode] = useState('');
  const action = useAction(async () => onCodes((await post(`/users/${part(user)}/factor/confirm`, {code}))['recovery-codes']));
  return html`<p>${t('factorScan')}</p><${Qr} qr=${secret.qr} /><p>${t('secret')}: <code class="secret">${secret.secret}</code></p>
    <${Form} action=${action} button=${t('confirm')}>
      <${Field} label=${t('codeLabel')} value=${code} onInput=${setCode} inputmode="numeric" autocomplete="off" required /><//>`;
}

function Buttons({user, f, may, again, onSecret, onCodes}) {
  const path = `/users/${part(user)}/factor`;
  const act = (verb, then) => async () => { const answer = await post(path + verb); if (then) then(answer); else await again(); };
  const begin = useAction(async () => onSecret(await post(path)));
  return html`<p class="buttons">
    ${may.has('factor.begin') && f.state !== 'on' && html`<button disabled=${begin.busy} onClick=${begin.run}>${t('factorBegin')}</button>`}
    ${may.has('factor.recovery') && f.state === 'on' && html`<${Act} label=${t('factorRecovery')} ask=${t('sureFactorRecovery', user)} act=${act('/recovery', a => onCodes(a['recovery-codes']))} />`}
    ${may.has('factor.forget') && f.leases.length > 0 && html`<${Act} label=${t('factorForget')} act=${act('/forget')} />`}
    ${may.has('factor.retry') && f['paused-until'] && html`<${Act} label=${t('factorRetry')} act=${act('/retry')} />`}
    ${may.has('factor.reset') && f.state !== 'none' && html`<${Act} label=${t('factorReset')} danger ask=${t('sureFactorReset', user)} act=${async () => { await del(path); await again(); }} />`}</p>
    <${Alert} error=${begin.error} />`;
}

function Shown({user, f, may, again, onSecret, onCodes}) {
  const wanted = f.effective === 'required';
  return html`<p><strong class=${f.state === 'on' ? 'good' : wanted ? 'bad' : 'quiet'}>${t('factor_' + f.state)}</strong> ・ ${t(wanted ? 'factorWanted' : 'factorNotWanted')}
      ${f.state === 'on' && html` ・ ${t('recovery')}: ${t('recoveryLeft', f['recovery-codes'])}`}
      ${f.leases.length > 0 && html` ・ ${t('factorForgetHint', f.leases.length)}`}</p>
    ${wanted && f.state === 'none' && html`<p class="alert warn">${t('factorMissing')}</p>`}
    ${f.state === 'unconfirmed' && html`<p class="alert warn">${t('factorNotConfirmed')}</p>`}
    ${f['paused-until'] && html`<p class="bad">${t('factorPaused', when(f['paused-until']))}</p>`}
    ${may.has('user.factor') && html`<${Policy} path=${'/users/' + part(user)} policy=${f.policy} again=${again} />`}
    <${Buttons} ...${{user, f, may, again, onSecret, onCodes}} />`;
}

export function FactorCard({user, may}) {
  const state = useData(() => get(`/users/${part(user)}/factor`), user);
  const [secret, setSecret] = useState(null);
  const [codes, setCodes] = useState(null);
  let body;
  if (codes)
    body = html`<${Codes} codes=${codes} onRead=${async () => { setCodes(null); await state.again(); }} />`;
  else if (secret)
    body = html`<${Confirm} user=${user} secret=${secret} onCodes=${list => { setSecret(null); setCodes(list); }} />`;
  else
    body = html`<${Loaded} state=${state}>${f => html`<${Shown} user=${user} f=${f} may=${may} again=${state.again} onSecret=${setSecret} onCodes=${setCodes} />`}<//>`;
  return html`<section class="card"><h2>${t('factor')}</h2><p class="quiet">${t('factorHint')}</p>${body}</section>`;
}

export function GroupFactor({group, policy, again}) {
  return html`<section class="card"><h2>${t('factor')}</h2><p class="quiet">${t('factorHint')}</p>
    <${Policy} path=${'/groups/' + part(group)} policy=${policy} again=${again} group /></section>`;
}
