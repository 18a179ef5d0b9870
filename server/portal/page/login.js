// Logging in: password, second step, and the first time with a set-up code.
import {html, useState} from './preact.js';
import {post, ApiError} from './api.js';
import {t} from './i18n.js';
import {Alert, Field, Form, useAction} from './ui.js';
import {loginWithPasskey, passkeysWork} from './webauthn.js';

function Password({account, setAccount, onStep, note}) {
  const [password, setPassword] = useState('');
  const action = useAction(async () => onStep(await post('/login', {account, password})));
  return html`<div><h1>${t('login')}</h1>
    ${note && html`<p class="alert warn" role="status">${note}</p>`}
    <${Form} action=${action} button=${t('login')}>
      <${Field} label=${t('account')} value=${account} onInput=${setAccount} autocomplete="username" autocapitalize="none" required />
      <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required />
    <//>
    <p><button class="link" onClick=${() => onStep({step: 'forgotten'})}>${t('forgotten')}</button></p>
    <p><button class="link" onClick=${() => onStep({step: 'setup'})}>${t('setup')}</button></p></div>`;
}

function Code({onStep, owed}) {
  const [code, setCode] = useState('');
  const action = useAction(async () => onStep(await post('/login/code', {code})));
  const passkey = useAction(async () => onStep(await loginWithPasskey()));
  return html`<div><h1>${t('codeTitle')}</h1>
    ${owed.passkey && passkeysWork() && html`<div class="form"><${Alert} error=${passkey.error} />
      <button class="primary" disabled=${passkey.busy} onClick=${passkey.run}>${t('usePasskey')}</button></div><hr />`}
    <${Form} action=${action} button=${t('next')}>
      <${Field} label=${t(owed.totp ? 'codeLabel' : 'recoveryLabel')} value=${code} onInput=${setCode} autocomplete="one-time-code" autofocus=${!owed.passkey} required />
    <//>
    <p><button class="link" onClick=${() => onStep({step: 'password'})}>${t('back')}</button></p></div>`;
}

export function checkSame(one, two) {
  if (one !== two)
    throw new ApiError(400, {code: 'different', message: t('different')});
}

function Setup({account, setAccount, code: given, onStep}) {
  const [code, setCode] = useState(given);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const action = useAction(async () => {
    checkSame(password, again);
    onStep(await post('/setup', {account, code, password}));
  });
  return html`<div><h1>${t('setupTitle')}</h1>
    <${Form} action=${action} button=${t('next')}>
      <${Field} label=${t('account')} value=${account} onInput=${setAccount} autocomplete="username" autocapitalize="none" required />
      <${Field} label=${t('setupCode')} value=${code} onInput=${setCode} autocomplete="off" required />
      <${Field} label=${t('newPassword')} type="password" hint=${t('passwordHint')} value=${password} onInput=${setPassword} autocomplete="new-password" required />
      <${Field} label=${t('again')} type="password" value=${again} onInput=${setAgain} autocomplete="new-password" required />
    <//>
    <p><button class="link" onClick=${() => onStep({step: 'password'})}>${t('back')}</button></p></div>`;
}

// The answer is the same whether there is such an account or not, so the page cannot say more either.
function Forgotten({account, setAccount, onStep}) {
  const [mail, setMail] = useState('');
  const [answer, setAnswer] = useState(null);
  const action = useAction(async () => setAnswer(await post('/forgotten', {account, mail})));
  return html`<div><h1>${t('forgottenTitle')}</h1>
    <p>${t('forgottenHow')}</p>
    <${Form} action=${action} button=${t('askCode')}>
      <${Field} label=${t('account')} value=${account} onInput=${setAccount} autocomplete="username" autocapitalize="none" required />
      <${Field} label=${t('mail')} type="email" value=${mail} onInput=${setMail} autocomplete="email" required />
    <//>
    ${answer && html`<p class=${'alert ' + (answer.mail ? 'good' : 'warn')} role="status">${t(answer.mail ? 'codeSent' : 'noMailHere')}</p>`}
    <p><button class="link" onClick=${() => onStep({step: 'reset'})}>${t('haveCode')}</button></p>
    <p class="quiet">${t('unknownId')}</p>
    <p><button class="link" onClick=${() => onStep({step: 'password'})}>${t('back')}</button></p></div>`;
}

function Reset({account, setAccount, code: given, onStep}) {
  const [code, setCode] = useState(given);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [tokens, setTokens] = useState(false);
  const action = useAction(async () => {
    checkSame(password, again);
    onStep(await post('/reset', {account, code, password, 'end-tokens': tokens}));
  });
  return html`<div><h1>${t('forgottenTitle')}</h1>
    <${Form} action=${action} button=${t('next')}>
      <${Field} label=${t('account')} value=${account} onInput=${setAccount} autocomplete="username" autocapitalize="none" required />
      <${Field} label=${t('resetCode')} value=${code} onInput=${setCode} autocomplete="one-time-code" required />
      <${Field} label=${t('newPassword')} type="password" hint=${t('passwordHint')} value=${password} onInput=${setPassword} autocomplete="new-password" required />
      <${Field} label=${t('again')} type="password" value=${again} onInput=${setAgain} autocomplete="new-password" required />
      <label class="check"><input type="checkbox" checked=${tokens} onChange=${e => setTokens(e.target.checked)} /> ${t('resetTokens')}</label>
    <//>
    <p class="quiet">${t('resetEnds')}</p>
    <p><button class="link" onClick=${() => onStep({step: 'password'})}>${t('back')}</button></p></div>`;
}

// A link from a mail: "#/reset/NAME/CODE" or "#/setup/NAME/CODE". It goes from the address at once, so that
// neither history nor somebody who looks on has the code.
function takeLink() {
  const [, step, account, code] = location.hash.match(/^#\/(reset|setup)\/([^/]+)\/([A-Za-z0-9-]+)$/) || [];
  if (!step)
    return {step: 'password', account: '', code: ''};
  history.replaceState(null, '', location.pathname);
  return {step, account: decodeURIComponent(account), code};
}

export function Login({onDone, note}) {
  const [link] = useState(takeLink);
  const [owed, setOwed] = useState({step: link.step}); // the step, and what the account has for it
  const [account, setAccount] = useState(link.account);
  const onStep = next => (next.step === 'done' ? onDone() : setOwed(next));
  const Step = {password: Password, code: Code, setup: Setup, forgotten: Forgotten, reset: Reset}[owed.step];
  return html`<main id="main" class="narrow card"><${Step} ...${{account, setAccount, onStep, owed, note, code: link.code}} /></main>`;
}
