// What the pages share: fields, forms that say what went wrong, loading and empty states.
import {html, useState, useEffect, useRef} from './preact.js';
import {getPage} from './api.js';
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

const PAGE = 50;
const TYPING_MS = 150;

// A list that the server searches, sorts and cuts into pages. `path` has a query already or not.
export function usePaged(path) {
  const [text, search] = useState('');
  const [page, turn] = useState(0);
  const [state, setState] = useState({});
  const asked = useRef(0);
  const again = async () => {
    const mine = ++asked.current; // an answer that comes after a later question's is of no use
    try {
      const {result, page: {total}} = await getPage(path + (path.includes('?') ? '&' : '?') +
        new URLSearchParams({search: text, limit: PAGE, offset: page * PAGE}));
      if (mine === asked.current && result.length === 0 && total > 0)
        turn(Math.ceil(total / PAGE) - 1);
      else if (mine === asked.current)
        setState({data: {rows: result, total}});
    } catch (error) {
      if (mine === asked.current)
        setState({error});
    }
  };
  useEffect(() => {
    const timer = setTimeout(again, state.data ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [path, text, page]);
  return {...state, again, text, search: v => { search(v); turn(0); }, page, turn};
}

export function Pager({list}) {
  const pages = list.data ? Math.ceil(list.data.total / PAGE) : 0;
  return pages > 1 && html`<nav class="pager" aria-label=${t('page')}>
    <button disabled=${list.page === 0} onClick=${() => list.turn(list.page - 1)}>${t('previous')}</button>
    <span>${t('page')} ${list.page + 1} ${t('of')} ${pages}</span>
    <button disabled=${list.page >= pages - 1} onClick=${() => list.turn(list.page + 1)}>${t('forward')}</button></nav>`;
}

// Gives the person a file.
export function save(name, text, type) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], {type}));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

// A button that asks first, when there is a question, and shows what went wrong beside itself.
export function Act({label, icon, ask, act, name, danger}) {
  const action = useAction(async () => {
    if (!ask || confirm(ask))
      await act();
  });
  return html`<span><button class=${danger ? 'danger' : ''} aria-label=${name ? `${label}: ${name}` : undefined}
    title=${icon ? label : undefined} disabled=${action.busy} onClick=${action.run}>${icon || label}</button><${Alert} error=${action.error} /></span>`;
}
