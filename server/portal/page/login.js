// Logging in: password, second step, and the first time with a set-up code.
import {html, useState} from './preact.js';
import {post, ApiError} from './api.js';
import {t} from './i18n.js';
import {Field, Form, useAction} from './ui.js';

function Password({account, setAccount, onStep, note}) {
  const [password, setPassword] = useState('');
  const action = useAction(async () => onStep((await post('/login', {account, password})).step));
  return html`<div><h1>${t('login')}</h1>
    ${note && html`<p class="alert good" role="status">${note}</p>`}
    <${Form} action=${action} button=${t('login')}>
      <${Field} label=${t('account')} value=${account} onInput=${setAccount} autocomplete="username" autocapitalize="none" required />
      <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required />
    <//>
    <p class="quiet">${t('forgotten')}</p>
    <p><button class="link" onClick=${() => onStep('setup')}>${t('setup')}</button></p></div>`;
}

function Code({onStep}) {
  const [code, setCode] = useState('');
  const action = useAction(async () => onStep((await post('/login/code', {code})).step));
  return html`<div><h1>${t('codeTitle')}</h1>
    <${Form} action=${action} button=${t('next')}>
      <${Field} label=${t('codeLabel')} value=${code} onInput=${setCode} autocomplete="one-time-code" autofocus required />
    <//>
    <p><button class="link" onClick=${() => onStep('password')}>${t('back')}</button></p></div>`;
}

export function checkSame(one, two) {
  if (one !== two)
    throw new ApiError(400, {code: 'different', message: t('different')});
}

function Setup({account, setAccount, onStep}) {
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const action = useAction(async () => {
    checkSame(password, again);
    onStep((await post('/setup', {account, code, password})).step);
  });
  return html`<div><h1>${t('setupTitle')}</h1>
    <${Form} action=${action} button=${t('next')}>
      <${Field} label=${t('account')} value=${account} onInput=${setAccount} autocomplete="username" autocapitalize="none" required />
      <${Field} label=${t('setupCode')} value=${code} onInput=${setCode} autocomplete="off" required />
      <${Field} label=${t('newPassword')} type="password" hint=${t('passwordHint')} value=${password} onInput=${setPassword} autocomplete="new-password" required />
      <${Field} label=${t('again')} type="password" value=${again} onInput=${setAgain} autocomplete="new-password" required />
    <//>
    <p><button class="link" onClick=${() => onStep('password')}>${t('back')}</button></p></div>`;
}

export function Login({onDone, note}) {
  const [step, setStep] = useState('password');
  const [account, setAccount] = useState('');
  const onStep = next => (next === 'done' ? onDone() : setStep(next));
  const Step = {password: Password, code: Code, setup: Setup}[step];
  return html`<main id="main" class="narrow card"><${Step} ...${{account, setAccount, onStep, note}} /></main>`;
}
