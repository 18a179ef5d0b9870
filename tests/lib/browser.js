// Drives Chromium for tests/lib/webpage.py: one JSON command a line on standard input, one JSON answer a line.
// browser.js PLAYWRIGHT CHROMIUM AXE
'use strict';
const {chromium} = require(process.argv[2]);
const fs = require('fs');
const readline = require('readline');

const state = {browser: null, page: null, errors: []};
const limit = {timeout: 30000};

// A control by its label or by its role and name, as a person finds it.
const control = c => (c.label ? state.page.getByLabel(c.label, {exact: true})
  : state.page.getByRole(c.role, {name: c.name, exact: true})).filter({visible: true})[c.last ? 'last' : 'first']();

const commands = {
  async open(c) {
    state.browser = await chromium.launch({executablePath: process.argv[3], args: ['--no-sandbox', '--disable-dev-shm-usage'],
      env: {...process.env, ...(c.home ? {HOME: c.home} : {})}});
    return commands.person(c);
  },
  async person(c) {
    // With a home of its own the browser knows whom it trusts there.
    const context = await state.browser.newContext({ignoreHTTPSErrors: !c.home, locale: c.locale,
      colorScheme: c.scheme || 'light', viewport: {width: c.width || 1100, height: 800}});
    state.page = await context.newPage();
    state.page.on('pageerror', e => state.errors.push(String(e)));
    // A refused request (401 before the log-in) is in the console too, and is no fault.
    state.page.on('console', m => m.type() === 'error' && !m.text().startsWith('Failed to load resource') &&
      state.errors.push(m.text()));
    state.page.on('dialog', d => (state.refuse ? d.dismiss() : d.accept()));
  },
  leave: () => Promise.all(state.browser.contexts().map(c => c.close())).then(() => null),
  // A security key that is part of the PC and verifies who uses it (WebAuthn, 11: automation).
  async authenticator() {
    state.cdp = await state.page.context().newCDPSession(state.page);
    await state.cdp.send('WebAuthn.enable');
    const {authenticatorId} = await state.cdp.send('WebAuthn.addVirtualAuthenticator', {options: {protocol: 'ctap2',
      transport: 'internal', hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true}});
    state.authenticator = authenticatorId;
  },
  verified: c => state.cdp.send('WebAuthn.setUserVerified', {authenticatorId: state.authenticator, isUserVerified: c.verified}).then(() => null),
  // A field of one of several sections that have one of this name.
  fill_in: c => state.page.locator('section', {has: state.page.getByRole('heading', {name: c.section, exact: true})})
    .getByLabel(c.label, {exact: true}).fill(c.value, limit),
  async dialogs(c) { state.refuse = !c.accept; },
  goto: c => state.page.goto(c.url).then(() => null),
  fill: c => control(c).fill(c.value, limit),
  choose: c => control(c).setInputFiles(c.path, limit),
  click: c => control(c).click(limit),
  click_first: c => state.page.locator(c.selector).first().click(limit),
  async open_details(c) { await state.page.locator('summary', {hasText: c.name}).first().click(limit); },
  see: c => state.page.getByText(c.text).filter({visible: true}).first().waitFor(limit),
  see_role: c => control(c).waitFor(limit),
  see_selector: c => state.page.locator(c.selector).first().waitFor(limit),
  gone: c => state.page.getByText(c.text, {exact: true}).first().waitFor({state: 'hidden', ...limit}),
  press: c => state.page.keyboard.press(c.key),
  type: c => state.page.keyboard.type(c.text),
  text: c => state.page.locator(c.selector || 'body').first().innerText(limit),
  all: c => state.page.locator(c.selector).allInnerTexts(),
  focused: () => state.page.evaluate(() => {
    const e = document.activeElement;
    return (e.labels && e.labels[0] && e.labels[0].innerText) || e.getAttribute('aria-label') || e.innerText || e.tagName;
  }),
  hrefs: c => state.page.locator(c.selector).evaluateAll(all => all.map(a => a.getAttribute('href'))),
  open_all: () => state.page.locator('details').evaluateAll(all => all.forEach(d => { d.open = true; })),
  // Nothing says `text` any more, and a moment later nothing does so again.
  async idle(c) {
    for (let quiet = 0; quiet < 2; quiet++) {
      await state.page.waitForTimeout(100);
      await state.page.waitForFunction(text => !document.body.innerText.includes(text), c.text, limit);
    }
  },
  // How much wider than the window the page is, if it is: [] or ["12 px: element"].
  overflow: () => state.page.evaluate(() => {
    const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const widest = [...document.querySelectorAll('main *, header *')].find(e => e.getBoundingClientRect().right > innerWidth + 1);
    return over > 0 ? [`${over} px: ${widest ? widest.outerHTML.slice(0, 100) : ''}`] : [];
  }),
  scheme: c => state.page.emulateMedia({colorScheme: c.scheme}),
  media: c => state.page.emulateMedia({media: c.media}),
  // What the portal's page calls something, in its language.
  word: c => state.page.evaluate(([key, values]) => import('/i18n.js').then(m => m.t(key, ...values)), [c.key, c.values]),
  // Nothing but who is logged in is answered any more; with off, it is again.
  hold: c => (c.on ? state.page.route(/api\/v1\/(?!me$)/, () => {}) : state.page.unroute(/api\/v1\/(?!me$)/)).then(() => null),
  shot: c => state.page.screenshot({path: c.path, fullPage: true}).then(() => null),
  // What axe finds on the page as it is: "rule: element" of each. If `colours`, by those of its usual rules that look at colours.
  async axe(c) {
    if (!await state.page.evaluate(() => 'axe' in window))
      await state.page.evaluate(fs.readFileSync(process.argv[4], 'utf8') + ';0');
    const found = await state.page.evaluate(colours => axe.run({resultTypes: ['violations'],
      ...(colours ? {runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}} : {})}), c.colours === true);
    return found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 160)} ${n.any.map(a => a.message).join('; ').slice(0, 160)}`));
  },
  async drag(c) { await state.page.locator(c.from).first().dragTo(state.page.locator(c.to).first(), limit); },
  focus: c => control(c).focus(limit),
  select: c => control(c).selectOption(c.value, limit),
  check: c => control(c).check(limit),
  async download(c) {
    const [file] = await Promise.all([state.page.waitForEvent('download', limit), control(c).click(limit)]);
    return {name: file.suggestedFilename(), text: fs.readFileSync(await file.path(), 'utf8')};
  },
  value: c => control(c).inputValue(limit),
  address: () => state.page.url(),
  errors: () => state.errors.splice(0),
};

readline.createInterface({input: process.stdin}).on('line', line => {
  commands.queue = (commands.queue || Promise.resolve()).then(async () => {
    const c = JSON.parse(line);
    try {
      console.log(JSON.stringify({ok: true, result: (await commands[c.do](c)) ?? null}));
    } catch (e) {
      console.log(JSON.stringify({ok: false, error: String(e)}));
    }
  });
}).on('close', async () => {
  await commands.queue;
  if (state.browser)
    await state.browser.close();
  process.exit(0);
});
