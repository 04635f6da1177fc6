// The demo's stage: a CA, the sandbox of the outside world, and people who each have their own
// user id, HOME, XDG_RUNTIME_DIR, ukeyd, keys and browser profile, as on separate machines.
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SOFTHSM = [
  '/usr/lib/softhsm/libsofthsm2.so',
  `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/softhsm/libsofthsm2.so`,
].find((p) => fs.existsSync(p));

const DAEMON_PORTS = [21071, 21072, 21073, 21074, 21075];

const PEOPLE = {
  applicant: { name: '王小明', title: '经办人 (applicant)' },
  reviewer: { name: '李审', title: '审核员 (reviewer)', role: 'reviewer' },
  producer: { name: '赵制', title: '制证员 (producer)', role: 'producer' },
};
// Where an order needs one more: who matched the money neither reviews nor makes the key.
const FINANCE = { finance: { name: '钱财', title: '财务员 (finance)', role: 'finance' } };
// The makers of keys: the virtual UKEY (SKF, SM2), which is what people here really have, and
// SoftHSM2 (PKCS#11) for the other algorithms.
const KEYS = {
  sm2: { module: 'libukey-soft.so', kind: 'skf', algorithm: 'sm2' },
  p256: { module: SOFTHSM, kind: 'pkcs11', algorithm: 'p-256' },
  rsa: { module: SOFTHSM, kind: 'pkcs11', algorithm: 'p-256' },
};
const PROGRAMS = ['libukey-soft.so', 'ukeyd', 'ukey-token', 'ukey-native', 'ukey', 'ukey-ca', 'ukey-sandbox', 'ukey-photo'];
const BROWSERS = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' };
const GECKO_ID = 'ukey@ukey.example';
const STAFF_PIN = '246813';
const FIRST_PIN = '135792'; // of a virtual UKEY as it was made; it has to be changed

export class StageError extends Error {}

function portFree(port) {
  return new Promise((resolve) => {
    const s = net.createServer();
    s.once('error', () => resolve(false));
    s.listen(port, '127.0.0.1', () => s.close(() => resolve(true)));
  });
}

async function until(what, ms, test) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await test();
    if (got) return got;
    if (Date.now() > end) throw new StageError(`waited ${ms / 1000} s in vain: ${what}`);
    await sleep(100);
  }
}

export class Stage {
  // state: folder for everything; bin: folder of the built programs; root: the checkout;
  // roles: of staff members, by person, instead of theirs; clock: may the CA's clock jump?  finance: a fourth person
  constructor({ state, bin, root, port = 8600, algorithm = 'sm2', roles = {}, clock = false, finance = false, say = console.log }) {
    Object.assign(this, { state, bin, root, algorithm, roles, say });
    this.keys = { ...KEYS[algorithm] };
    this.virtual = this.keys.kind === 'skf';
    if (this.virtual) this.keys.module = this.file('bin', this.keys.module);
    if (clock) this.clock = path.join(state, 'clock');
    this.ports = { portal: port, sandbox: port + 100 };
    // Not in /etc/passwd on purpose: the demo adds no account to the machine.  Two stages at once
    // have different ones, so that no page of one takes a helper of the other for its own.
    this.uids = 70000 + 10 * (createHash('sha256').update(state).digest().readUInt16BE() % 1000);
    this.children = [];
    this.people = {};
    this.cast = finance ? { ...PEOPLE, ...FINANCE } : PEOPLE;
    this.origin = `http://localhost:${this.ports.portal}`;
    // For what is no browser: a system need not know the name localhost.
    this.server = `http://127.0.0.1:${this.ports.portal}`;
  }

  file(...parts) {
    return path.join(this.state, ...parts);
  }

  async checkPorts() {
    for (const [name, port] of Object.entries(this.ports)) {
      if (!(await portFree(port))) {
        throw new StageError(`port ${port} (${name}) is in use; end what listens there, then try again`);
      }
    }
    const free = (await Promise.all(DAEMON_PORTS.map(portFree))).filter(Boolean).length;
    const need = Object.keys(this.cast).length;
    if (free < need) {
      throw new StageError(
        `ports 21071 to 21075 (ukeyd) are in use: ${need} must be free, ${free} are`,
      );
    }
  }

  // Programs are copied to where every user id can execute them: the checkout may be under /root.
  copyPrograms() {
    fs.rmSync(this.state, { recursive: true, force: true });
    fs.mkdirSync(this.file('bin'), { recursive: true, mode: 0o755 });
    fs.mkdirSync(this.file('log'), { mode: 0o755 });
    fs.mkdirSync(this.file('people'), { mode: 0o755 });
    for (const p of PROGRAMS) {
      if (fs.existsSync(path.join(this.bin, p))) {
        fs.copyFileSync(path.join(this.bin, p), this.file('bin', p));
        fs.chmodSync(this.file('bin', p), 0o755);
      }
    }
    fs.copyFileSync(path.join(this.root, 'installer/lib/pinentry-demo'), this.file('bin', 'pinentry'));
    fs.chmodSync(this.file('bin', 'pinentry'), 0o755);
    fs.cpSync(path.join(this.root, 'server/portal/dist'), this.file('portal'), { recursive: true });
    this.copyExtension();
  }

  // What a browser needs for the road by the extension.
  copyExtension() {
    const dist = path.join(this.root, 'extension/dist');
    fs.cpSync(dist, this.file('extension'), { recursive: true });
    this.extension = {
      id: fs.readFileSync(path.join(dist, 'ukey.id'), 'utf8').trim(), geckoId: GECKO_ID,
      chromium: this.file('extension/chromium'), firefox: this.file('extension/ukey.xpi'),
    };
    this.host = this.file('bin', 'ukey-native');
  }

  spawn(name, command, args, options = {}) {
    const log = fs.openSync(this.file('log', `${name}.log`), 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], ...options });
    fs.closeSync(log);
    child.once('exit', (code, signal) => {
      child.ended = true;
      child.failed = signal ? null : code;
      if (!this.stopping && !child.expected) {
        this.say(`${name} ended (${signal ?? code}); see ${this.file('log', `${name}.log`)}`);
      }
    });
    child.label = name;
    this.children.push(child);
    return child;
  }

  // One program to its end; its output, or an error that shows it.
  run(command, args, options = {}) {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
    } catch (e) {
      throw new StageError(`${path.basename(command)} ${args.join(' ')}: ${e.stderr || e.message}`.trim());
    }
  }

  asPerson(person, command, args) {
    const { uid } = person;
    return ['setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', command, ...args]];
  }

  runAs(person, command, args) {
    return this.run(...this.asPerson(person, command, args), { env: person.env, cwd: person.home });
  }

  ukey(person, ...args) {
    return this.runAs(person, this.file('bin', 'ukey'), args);
  }

  async startSandbox() {
    const dir = this.file('sandbox');
    fs.mkdirSync(dir, { mode: 0o700 });
    this.spawn('sandbox', this.file('bin', 'ukey-sandbox'), [
      '--dir', dir, '--listen', `127.0.0.1:${this.ports.sandbox}`, '--speed', '60',
    ]);
    this.sandboxUrl = `http://127.0.0.1:${this.ports.sandbox}`;
    await until('ukey-sandbox answers', 15000, () => fetch(this.sandboxUrl).then((r) => r.ok, () => false));
  }

  initCa() {
    this.caDir = this.file('ca');
    this.caConfig = path.join(this.caDir, 'config.json');
    this.ukeyCa('init', '--dir', this.caDir, '--algorithm', this.algorithm, '--origin', this.origin,
      '--name', '示范数字证书认证中心', '--listen', `127.0.0.1:${this.ports.portal}`,
      '--portal', this.file('portal'), '--with', this.file('sandbox', 'sandbox.json'));
    this.configureCa({
      'service-phone': '400-810-0000', 'remittance-name': '示范数字证书认证中心',
      'remittance-account': '11005588660001', 'remittance-bank': '示范银行北京分行',
      ...(this.clock && { 'clock-file': this.clock }),
    });
    if (this.virtual) {
      // As a maker delivers a box of blank keys: all with one device authentication key.
      this.authKey = randomBytes(16).toString('hex');
      this.configureCa({ 'device-auth-secret': this.authKey });
    }
  }

  configureCa(members) {
    const config = JSON.parse(fs.readFileSync(this.caConfig, 'utf8'));
    fs.writeFileSync(this.caConfig, JSON.stringify({ ...config, ...members }, null, 2));
  }

  ukeyCa(...args) {
    return this.run(this.file('bin', 'ukey-ca'), args);
  }

  async startCa() {
    this.ca = this.spawn('ca', this.file('bin', 'ukey-ca'), ['serve', '--config', this.caConfig]);
    this.ca.once('exit', (code, signal) => {
      // As a machine's service manager does.
      if (signal === 'SIGKILL' && !this.stopping) setTimeout(() => this.startCa().catch((e) => this.say(e.message)), 500);
    });
    await until('ukey-ca answers', 20000, () => {
      if (this.ca.ended) throw new StageError(`ukey-ca ended; see ${this.file('log', 'ca.log')}`);
      return fetch(`${this.server}/api/site`).then((r) => r.ok, () => false);
    });
  }

  // A person's home, token folder, policy and daemon.
  async addPerson(id) {
    const who = { uid: this.uids + Object.keys(this.cast).indexOf(id), ...this.cast[id] };
    const home = this.file('people', id);
    const p = { id, ...who, home, runtime: path.join(home, 'run'), tokens: path.join(home, 'tokens') };
    p.socket = path.join(p.runtime, 'ukey/agent.sock');
    p.policy = path.join(home, 'policy');
    p.memory = path.join(home, 'pins');
    p.env = {
      HOME: home, USER: id, PATH: process.env.PATH, LANG: 'C.UTF-8', XDG_RUNTIME_DIR: p.runtime,
      SOFTHSM2_CONF: path.join(home, 'softhsm2.conf'), UKEY_SOFT_DIR: p.tokens, UKEY_DEMO_PINS: p.memory, UKEY_POLICY_DIR: p.policy,
      ...(process.env.DISPLAY && { DISPLAY: process.env.DISPLAY }),
      // ukeyd lets nobody trace it, LeakSanitizer neither.
      ASAN_OPTIONS: 'detect_leaks=0',
    };
    for (const d of [home, p.runtime, p.tokens]) fs.mkdirSync(d, { recursive: true, mode: 0o700 });
    fs.mkdirSync(p.policy, { mode: 0o755 });
    fs.writeFileSync(p.env.SOFTHSM2_CONF,
      `directories.tokendir = ${p.tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n`);
    fs.writeFileSync(p.memory, '', { mode: 0o600 });
    this.writePolicy(p);
    this.run('chown', ['-R', `${p.uid}:${p.uid}`, home]);
    this.people[id] = p;
    return p;
  }

  writePolicy(p) {
    const ticket = () => JSON.parse(fs.readFileSync(path.join(this.caDir, 'ticket-public.jwk'), 'utf8'));
    fs.writeFileSync(path.join(p.policy, 'demo.json'), JSON.stringify({
      development: true,
      modules: [{ path: this.keys.module, kind: this.keys.kind }],
      pinentry: this.file('bin', 'pinentry'),
      ...(this.caDir && { tickets: { trusted: [ticket()] } }),
      ...(p.role && { sites: { allow: [this.origin], block: [] } }),
      ...(p.role === 'producer' && { production: true }),
      ...(this.clock && { clockFile: this.clock }),
    }, null, 2));
  }

  // The CA's time, Unix seconds.
  now() {
    const ahead = this.clock && fs.existsSync(this.clock) ? Number(fs.readFileSync(this.clock, 'utf8')) : 0;
    return String(Math.floor(Date.now() / 1000) + ahead);
  }

  // What the person knows and will type: the stand-in for pinentry reads it.
  remember(p, pin, next = '') {
    fs.writeFileSync(p.memory, `${pin}\n${next}\n`);
  }

  async startDaemon(p) {
    const [cmd, args] = this.asPerson(p, this.file('bin', 'ukeyd'), [
      '--policy', p.policy, '--helper', this.file('bin', 'ukey-token'),
    ]);
    p.daemon = this.spawn(`ukeyd-${p.id}`, cmd, args, { env: p.env, cwd: p.home });
    await until(`ukeyd of ${p.id} listens`, 15000, () => {
      if (p.daemon.ended) throw new StageError(`ukeyd ended; see ${this.file('log', `ukeyd-${p.id}.log`)}`);
      return fs.existsSync(p.socket) && fs.existsSync(path.join(p.runtime, 'ukey/port'));
    });
    p.port = Number(fs.readFileSync(path.join(p.runtime, 'ukey/port'), 'utf8'));
  }

  // A file that only the person can read.
  secret(p, name, text) {
    const file = path.join(p.home, name);
    fs.writeFileSync(file, `${text}\n`, { mode: 0o600 });
    fs.chownSync(file, p.uid, p.uid);
    return file;
  }

  // The producer's box of blank keys: one is always plugged in.
  fillBox(p) {
    let made = 0;
    const next = () => {
      if (this.stopping) return;
      const { ukeys } = JSON.parse(this.ukey(p, 'soft', 'list', '--json'));
      if (!ukeys.some((k) => k.inserted && !k.applications.length)) this.makeVirtual(p, `blank-${++made}`);
      setTimeout(next, 1000).unref();
    };
    next();
  }

  // A virtual UKEY, plugged in: blank, or with an application and its PINs.
  makeVirtual(p, name, pins) {
    this.ukey(p, 'soft', 'create', '--auth-key-file', this.secret(p, 'auth-key', this.authKey), ...(pins ? [
      '--label', p.name, '--application', 'UKEY',
      '--admin-pin-file', this.secret(p, 'admin-pin', pins.admin), '--pin-file', this.secret(p, 'user-pin', pins.user),
    ] : ['--label', '空白证书Key']), name);
    this.ukey(p, 'soft', 'insert', name);
  }

  makeStaffToken(p) {
    if (this.virtual) {
      this.makeVirtual(p, p.id, { admin: '13579246801357924680', user: FIRST_PIN });
      return;
    }
    this.runAs(p, 'softhsm2-util', ['--init-token', '--free', '--label', p.name,
      '--so-pin', '1357924680', '--pin', STAFF_PIN]);
  }

  // A staff member's key: made on their token, certified by the CA, written back.
  async giveStaffKey(p) {
    this.makeStaffToken(p);
    if (this.virtual) this.remember(p, FIRST_PIN, STAFF_PIN);
    else this.remember(p, STAFF_PIN);
    p.pin = STAFF_PIN;
    await this.startDaemon(p);
    const token = await until(`the key of ${p.id} is seen`, 10000, () =>
      JSON.parse(this.ukey(p, 'list', '--json')).tokens.find((t) => t.label === p.name));
    const key = JSON.parse(this.ukey(p, 'key', 'generate', '--token', token.id, '--algorithm', this.keys.algorithm, '--json'));
    const csr = path.join(p.home, 'request.der');
    const cert = path.join(p.home, 'staff.cer');
    this.ukey(p, 'request', '--token', token.id, '--key', key.key, '--name', p.name, '--out', csr);
    const der = this.file('ca', `${p.id}.cer`);
    this.ukeyCa('staff', 'add', '--dir', this.caDir, '--name', p.name,
      '--roles', this.roles[p.id] ?? p.role,
      '--request', csr, '--certificate', der);
    fs.copyFileSync(der, cert);
    fs.chownSync(cert, p.uid, p.uid);
    this.ukey(p, 'certificate', 'install', '--token', token.id, '--in', cert);
    p.token = token.id;
  }

  enrolStation(p) {
    const jwk = this.file('ca', 'station.jwk');
    fs.writeFileSync(jwk, this.ukey(p, 'station', '--json'));
    this.ukeyCa('station', 'add', '--dir', this.caDir, '--name', '制证台一号', '--key', jwk);
  }

  // The browser of a person runs under their user id: their ukeyd answers no other.
  browserOf(p, kind) {
    const wrapper = path.join(this.state, 'bin', `${kind}-${p.id}`);
    const [cmd, args] = this.asPerson(p, '/usr/bin/env', [
      ...Object.entries(p.env).map(([name, value]) => `${name}=${value}`), BROWSERS[kind],
    ]);
    const words = [cmd, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    fs.writeFileSync(wrapper, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
    return wrapper;
  }

  browsersOf(p) {
    return Object.fromEntries(Object.keys(BROWSERS).map((kind) => [kind, this.browserOf(p, kind)]));
  }

  // The post: the key just made travels from the producer's desk to the customer's machine.
  async post(from, to) {
    const list = (p) => JSON.parse(this.ukey(p, 'list', '--json')).tokens.filter((t) => t.state === 'ready');
    const made = list(from).find((t) => t.id !== from.token);
    if (!made) throw new StageError("no new key at the producer's desk");
    if (this.virtual) this.carryVirtual(from, to, made.serial);
    else this.carrySoftHsm(from, to, made.serial);
    await until("the customer's helper sees the key", 10000, () =>
      list(to).some((t) => t.serial === made.serial));
  }

  carryVirtual(from, to, serial) {
    const { name } = JSON.parse(this.ukey(from, 'soft', 'list', '--json')).ukeys.find((k) => k.serial === serial);
    this.ukey(from, 'soft', 'remove', name);
    this.move(path.join(from.tokens, name), to);
    this.ukey(to, 'soft', 'insert', name);
  }

  carrySoftHsm(from, to, serial) {
    const inside = (d) => fs.readdirSync(d).map((f) => path.join(d, f));
    this.move(inside(from.tokens).find((d) =>
      fs.readFileSync(path.join(d, 'token.object')).includes(serial)), to);
  }

  move(folder, to) {
    const there = path.join(to.tokens, path.basename(folder));
    fs.renameSync(folder, there);
    this.run('chown', ['-R', `${to.uid}:${to.uid}`, there]);
  }

  writeDemoJson() {
    const persons = Object.fromEntries(Object.values(this.people).map((p) => [p.id, {
      name: p.name, title: p.title, uid: p.uid, home: p.home, runtimeDir: p.runtime, socket: p.socket,
      port: p.port, module: this.keys.module, tokens: p.tokens, pin: p.pin ?? null,
      token: p.token ?? null, browsers: p.browsers, pinFile: p.memory,
    }]));
    const demo = {
      portal: this.origin, server: this.server, console: `${this.origin}/staff/`, sandbox: this.sandboxUrl,
      screenshots: this.file('screenshots'), result: this.file('result.json'), clock: this.clock ?? null,
      ca: { dir: this.caDir, config: this.caConfig, root: path.join(this.caDir, 'root.cer'),
        issuer: path.join(this.caDir, 'issuer.cer') },
      extension: this.extension, host: this.host, persons,
    };
    fs.mkdirSync(demo.screenshots, { recursive: true });
    fs.writeFileSync(this.file('demo.json'), JSON.stringify(demo, null, 2), { mode: 0o600 });
    return demo;
  }

  async start() {
    await this.checkPorts();
    this.copyPrograms();
    await this.startSandbox();
    this.initCa();
    for (const id of Object.keys(this.cast)) {
      const p = await this.addPerson(id);
      if (p.role) await this.giveStaffKey(p);
      else await this.startDaemon(p);
      p.browsers = this.browsersOf(p);
    }
    this.enrolStation(this.people.producer);
    if (this.virtual) this.fillBox(this.people.producer);
    await this.startCa();
    return this.writeDemoJson();
  }

  async stop() {
    this.stopping = true;
    for (const c of [...this.children].reverse()) if (!c.ended) c.kill('SIGTERM');
    const end = Date.now() + 5000;
    while (this.children.some((c) => !c.ended) && Date.now() < end) await sleep(50);
    for (const c of this.children) if (!c.ended) c.kill('SIGKILL');
    const bad = this.children.find((c) => c.failed || !c.ended);
    if (bad) throw new StageError(`${bad.label} did not end well; see ${this.file('log', `${bad.label}.log`)}`);
  }
}
