// What the browser does with passkeys (WebAuthn), with bytes as the API has them: in hexadecimal.
import {ApiError, post} from './api.js';

export const passkeysWork = () => window.isSecureContext && 'PublicKeyCredential' in window;

const toHex = buffer => [...new Uint8Array(buffer)].map(b => b.toString(16).padStart(2, '0')).join('');
const fromHex = text => new Uint8Array((text.match(/../g) || []).map(b => parseInt(b, 16)));
const list = ids => ids.map(id => ({type: 'public-key', id: fromHex(id)}));
const ALGORITHMS = [-7, -8, -257]; // ES256, EdDSA, RS256
const TIMEOUT_MS = 120e3;

// The browser's own refusals, as errors that the page has words for.
async function asked(credential) {
  try {
    return await credential;
  } catch (e) {
    throw new ApiError(400, {code: e.name, message: ''});
  }
}

// Gives {passkey, recovery-codes?}.
export async function registerPasskey(name, password) {
  const question = await post('/me/passkeys/begin', {password});
  const made = await asked(navigator.credentials.create({publicKey: {
    challenge: fromHex(question.challenge),
    rp: {id: question.rp, name: 'PRA'},
    user: {id: fromHex(question.user), name: question.account, displayName: question.account},
    pubKeyCredParams: ALGORITHMS.map(alg => ({type: 'public-key', alg})),
    excludeCredentials: list(question.known),
    authenticatorSelection: {userVerification: 'required', residentKey: 'discouraged'},
    attestation: 'none',
    timeout: TIMEOUT_MS,
  }}));
  return post('/me/passkeys', {name, 'client-data': toHex(made.response.clientDataJSON),
    'auth-data': toHex(made.response.getAuthenticatorData())});
}

// The second step of a log-in.
export async function loginWithPasskey() {
  const question = await post('/login/passkey/begin');
  const {rawId, response} = await asked(navigator.credentials.get({publicKey: {
    challenge: fromHex(question.challenge),
    rpId: question.rp,
    allowCredentials: list(question.known),
    userVerification: 'required',
    timeout: TIMEOUT_MS,
  }}));
  return post('/login/passkey', {credential: toHex(rawId), 'client-data': toHex(response.clientDataJSON),
    'auth-data': toHex(response.authenticatorData), signature: toHex(response.signature)});
}
