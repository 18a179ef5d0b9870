// Asks the API. Every answer is {result, warnings} or {error: {code, message}}.

export class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
  }
}

let onLoggedOut = () => {};

// Called when the log-in is over, wherever that is noticed.
export function whenLoggedOut(fn) {
  onLoggedOut = fn;
}

// The whole answer: {result, warnings}.
export async function ask(method, path, body, headers = {}) {
  let response, json;
  try {
    response = await fetch('/api/v1' + path, {
      method,
      headers: body === undefined ? headers : {...headers, 'Content-Type': 'application/json'},
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    json = await response.json();
  } catch {
    throw new ApiError(0, {code: 'no-answer', message: ''});
  }
  if (response.ok)
    return json;
  const error = new ApiError(response.status, json.error);
  if (error.code === 'not-logged-in')
    onLoggedOut(path);
  throw error;
}

export const api = async (...request) => (await ask(...request)).result;
// A part of a list: {result, page: {total, offset, limit}}.
export const getPage = path => ask('GET', path);
export const get = path => api('GET', path);
// What a page asks by itself does not keep the log-in alive.
export const watch = path => api('GET', path, undefined, {'X-PRA-Background': '1'});
export const post = (path, body) => api('POST', path, body);
export const del = path => api('DELETE', path);
export const part = text => encodeURIComponent(text);
