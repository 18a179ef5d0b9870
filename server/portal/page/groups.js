// Groups: who is in them, and the rules that all their members have.
import {html, useState} from './preact.js';
import {api, get, post, part} from './api.js';
import {t} from './i18n.js';
import {Act, Field, Form, Loaded, Pager, useAction, useData, usePaged} from './ui.js';
import {LimitCard} from './limits.js';
import {GroupFactor} from './factor.js';
import {Rules} from './rules.js';

function Add({again}) {
  const [name, setName] = useState('');
  const action = useAction(async () => {
    await post('/groups', {name});
    setName('');
    await again();
  });
  return html`<section class="card"><h2>${t('addGroup')}</h2><${Form} action=${action} button=${t('addGroup')} className="form row">
    <${Field} label=${t('groupName')} hint=${t('nameHint')} value=${name} onInput=${setName} autocapitalize="none" autocomplete="off" required /><//></section>`;
}

export function Groups({may}) {
  const state = usePaged('/groups');
  return html`<div><h1>${t('groups')}</h1><p class="quiet">${t('groupsHint')}</p>
    <${Field} label=${t('search')} type="search" value=${state.text} onInput=${state.search} />
    <${Loaded} state=${state}>${({rows: groups}) => (groups.length === 0
    ? html`<p class="empty">${t(state.text ? 'noGroup' : 'noGroups')}</p>`
    : html`<div class="scroll"><table><thead><tr><th scope="col">${t('groupName')}</th><th scope="col" class="number">${t('members')}</th><th scope="col">${t('users')}</th></tr></thead>
      <tbody>${groups.map(g => html`<tr key=${g.id}><th scope="row"><a href=${'#/groups/' + part(g.name)}>${g.name}</a></th>
        <td class="number">${g.members.length}</td><td>${g.members.slice(0, 8).join(', ')}${g.members.length > 8 ? ' …' : ''}</td></tr>`)}</tbody></table></div>`)}<//><${Pager} list=${state} />
    ${may.has('group.add') && html`<${Add} again=${state.again} />`}</div>`;
}

function AddMember({group, again}) {
  const [user, setUser] = useState('');
  const action = useAction(async () => {
    await api('PUT', `/groups/${part(group)}/members/${part(user)}`);
    setUser('');
    await again();
  });
  return html`<${Form} action=${action} button=${t('addMember')} className="form row">
    <${Field} label=${t('name')} value=${user} onInput=${setUser} autocapitalize="none" autocomplete="off" required /><//>`;
}

export function Group({name, may}) {
  const state = useData(async () => (await get('/groups?name=' + part(name)))[0] || null, name);
  const out = user => async () => { await api('DELETE', `/groups/${part(name)}/members/${part(user)}`); await state.again(); };
  const remove = async () => { await api('DELETE', '/groups/' + part(name)); location.hash = '#/groups'; };
  return html`<div><p><a href="#/groups">← ${t('groups')}</a></p><${Loaded} state=${state}>${g => (g === null ? html`<p class="empty">${t('noGroup')}</p>` : html`<div>
    <h1>${g.name}</h1>${may.has('group.delete') && html`<p class="buttons"><${Act} label=${t('deleteGroup')} danger ask=${t('sureDeleteGroup', name)} act=${remove} /></p>`}
    <section class="card"><h2>${t('members')}</h2>${g.members.length === 0 ? html`<p class="empty">${t('noMembers')}</p>`
      : html`<ul class="chips">${g.members.map(u => html`<li key=${u}><a href=${'#/users/' + part(u)}>${u}</a>
        ${may.has('group.member.remove') && html`<${Act} label=${t('takeOut')} name=${u} act=${out(u)} />`}</li>`)}</ul>`}
      ${may.has('group.member.add') && html`<${AddMember} group=${name} again=${state.again} />`}</section>
    ${may.has('group.limits') && html`<${LimitCard} path=${`/groups/${part(name)}/limits`} may=${may} />`}
    ${may.has('group.factor') && html`<${GroupFactor} group=${name} policy=${g.factor} again=${state.again} />`}
    <${Rules} group=${name} may=${may} /></div>`)}<//></div>`;
}
