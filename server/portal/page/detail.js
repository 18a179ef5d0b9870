// What an alert says beside its title: "key=value" pairs of prad's, told as a person would.
import {t, bytes, duration, exact, reason} from './i18n.js';

const VALUES = {
  free: v => bytes(Number(v)), wanted: v => bytes(Number(v)),
  from: exact, until: exact, ends: exact, since: exact, 'was-away-since': exact,
  days: v => t('days', v), seconds: v => duration(Number(v)),
  reason, policy: v => t('clone_' + v),
};

function pair(text) {
  const [, key, value] = /^([a-z-]+)=(.*)$/.exec(text) || [];
  if (key === undefined)
    return reason(text.replace(/:$/, ''));
  const told = (VALUES[key] || String)(value);
  return `${t('detail_' + key)}: ${told}`;
}

export const alertDetail = text => text.split(' ').map(pair).join(t('listComma'));
