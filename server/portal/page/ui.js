// What the pages share: fields, forms that say what went wrong, loading and empty states.
import {html, useState, useEffect, useRef} from './preact.js';
import {t, errorText} from './i18n.js';

let fields = 0;

export function Field({label, hint, type = 'text', value, onInput, wide, children, ...rest}) {
  const id = useRef('f' + ++fields).current;
  return html`<div class=${'field' + (wide ? ' wide' : '')}>
    <label for=${id}>${label}</label>
    ${children ? children(id) : html`<input id=${id} type=${type} value=${value}
      onInput=${e => onInput(e.target.value)} aria-describedby=${hint ? id + 'h' : undefined} ...${rest} />`}
    ${hint && html`<small id=${id + 'h'}>${hint}</small>`}
  </div>`;
}

export function Alert({error, text}) {
  const shown = text || (error && errorText(error));
  return html`<p class=${'alert' + (error ? '' : ' good')} role=${error ? 'alert' : 'status'} hidden=${!shown}>${shown || ''}</p>`;
}

// Runs `act` once at a time; the error of the last run is shown by whoever uses it.
export function useAction(act) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const run = async (...args) => {
    if (busy)
      return;
    setBusy(true);
    setError(null);
    try {
      await act(...args);
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return {busy, error, run, setError};
}

export function Form({action, button, children, className}) {
  return html`<form class=${className || 'form'} aria-busy=${action.busy}
    onSubmit=${e => { e.preventDefault(); action.run(); }}>
    ${children}
    <${Alert} error=${action.error} />
    <button class="primary" type="submit" disabled=${action.busy}>${button}</button>
  </form>`;
}

// Fetches when `key` changes; gives {data, error, again}.
export function useData(fetcher, key) {
  const [state, setState] = useState({});
  const again = async () => {
    try {
      setState({data: await fetcher()});
    } catch (error) {
      setState(old => ({data: old.data, error}));
    }
  };
  useEffect(() => { setState({}); again(); }, [key]);
  return {...state, again};
}

export function Loaded({state, children}) {
  if (state.error)
    return html`<div><${Alert} error=${state.error} /><button onClick=${state.again}>${t('retry')}</button></div>`;
  if (state.data === undefined)
    return html`<p role="status" class="quiet">${t('loading')}</p>`;
  return html`<div>${children(state.data)}</div>`;
}
