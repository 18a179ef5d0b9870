// One's own account: profile, two-step log-in, password.
import {html, useState} from './preact.js';
import {api, post} from './api.js';
import {t} from './i18n.js';
import {Alert, Field, Form, useAction} from './ui.js';
import {checkSame} from './login.js';
import {Codes, Passkeys, Tokens} from './security.js';

function Profile({me, reload}) {
  const [name, setName] = useState(me['full-name'] || '');
  const [mail, setMail] = useState(me.mail || '');
  const [saved, setSaved] = useState(false);
  const action = useAction(async () => {
    setSaved(false);
    await api('PATCH', '/me', {'full-name': name, mail});
    setSaved(true);
    reload();
  });
  return html`<section class="card"><h2>${t('profile')}</h2>
    <${Form} action=${action} button=${t('save')}>
      <${Field} label=${t('fullName')} value=${name} onInput=${setName} autocomplete="name" />
      <${Field} label=${t('mail')} type="email" value=${mail} onInput=${setMail} autocomplete="email" />
    <//>
    <${Alert} text=${saved && t('saved')} /></section>`;
}

export function Qr({qr}) {
  return html`<svg class="qr" role="img" aria-label=${t('qrAlt')} viewBox=${`-4 -4 ${qr.size + 8} ${qr.size + 8}`}>
    <rect x="-4" y="-4" width=${qr.size + 8} height=${qr.size + 8} fill="#fff" /><path d=${qr.path} fill="#000" /></svg>`;
}

function Confirm({secret, onCodes}) {
  const [code, setCode] = useState('');
  const action = useAction(async () => onCodes((await post('/me/totp/confirm', {code}))['recovery-codes']));
  return html`<p>${t('scan')}</p><${Qr} qr=${secret.qr} />
    <p>${t('secret')}: <code class="secret">${secret.secret}</code></p>
    <${Form} action=${action} button=${t('confirm')}>
      <${Field} label=${t('codeLabel')} value=${code} onInput=${setCode} inputmode="numeric" autocomplete="one-time-code" required />
    <//>`;
}

function TwoStep({me, reload}) {
  const [secret, setSecret] = useState(null);
  const [codes, setCodes] = useState(null);
  const [password, setPassword] = useState('');
  const on = me.totp;
  const action = useAction(async () => {
    const answer = await post(on ? '/me/totp/disable' : '/me/totp', {password});
    setPassword('');
    if (on)
      reload();
    else
      setSecret(answer);
  });
  let body;
  if (codes)
    body = html`<${Codes} codes=${codes} onRead=${() => { setCodes(null); reload(); }} />`;
  else if (secret && !on)
    body = html`<${Confirm} secret=${secret} onCodes=${list => { setSecret(null); setCodes(list); }} />`;
  else
    body = html`<p>${t('authenticatorApp')}: <strong>${t(on ? 'twoStepOn' : 'twoStepOff')}</strong>
        ${me['two-step'] && html` ・ ${t('recovery')}: ${t('recoveryLeft', me['recovery-codes'])}`}</p>
      <${Form} action=${action} button=${t(on ? 'turnOff' : 'turnOn')}>
        <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required />
      <//>`;
  return html`<section class="card"><h2>${t('twoStep')}</h2>${body}</section>`;
}

function ChangePassword() {
  const [password, setPassword] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [done, setDone] = useState(false);
  const action = useAction(async () => {
    setDone(false);
    checkSame(next, again);
    await post('/me/password', {password, 'new-password': next});
    [setPassword, setNext, setAgain].forEach(set => set(''));
    setDone(true);
  });
  return html`<section class="card"><h2>${t('changePassword')}</h2>
    <${Form} action=${action} button=${t('changePassword')}>
      <${Field} label=${t('password')} type="password" value=${password} onInput=${setPassword} autocomplete="current-password" required />
      <${Field} label=${t('newPassword')} type="password" hint=${t('passwordHint')} value=${next} onInput=${setNext} autocomplete="new-password" required />
      <${Field} label=${t('again')} type="password" value=${again} onInput=${setAgain} autocomplete="new-password" required />
    <//>
    <${Alert} text=${done && t('changed')} /></section>`;
}

export function Account({me, reload}) {
  return html`<div><h1>${t('me')}: ${me.name}</h1><p>${t('role')}: <strong>${t('role_' + me.role)}</strong></p>
    <${Profile} me=${me} reload=${reload} /><${TwoStep} me=${me} reload=${reload} />
    <${Passkeys} me=${me} reload=${reload} /><${ChangePassword} /><${Tokens} me=${me} /></div>`;
}
