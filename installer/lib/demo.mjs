// Sets the stage, drives one order end to end, and stays up.  Called by installer/demo.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stage, StageError } from './stage.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { values: opt } = parseArgs({
  options: {
    mode: { type: 'string' }, scenario: { type: 'string' }, state: { type: 'string' }, bin: { type: 'string' },
    algorithm: { type: 'string' }, port: { type: 'string' },
    road: { type: 'string' }, browser: { type: 'string' },
  },
});

// What a scenario of tests/manual needs beyond the stage: more roles, a clock that can jump.
const SCENARIOS = {
  'new-unit': {},
  identity: {},
  review: { roles: { reviewer: 'reviewer,finance' } },
  hurdles: { clock: true },
  'person-new': {},
  'unit-renewal': { clock: true },
  'renewal-faults': { clock: true },
  'another-browser': { clock: true },
  'unit-change': {},
  'unit-unlock': {},
  'unit-replacement': { finance: true },
  'person-replacement': {},
  'person-renewal': { clock: true },
  'person-change': {},
  query: {},
  tour: { clock: true },
  'person-unlock': {},
};

let step = 'stage';
const ok = (what) => console.log(`ok ${what}`);

// The new certificate as it stands on the key, and a signature by the key that openssl accepts.
function prove(stage) {
  const { applicant } = stage.people;
  const file = (name) => stage.file('proof', name);
  const ca = (name) => path.join(stage.caDir, name);
  const openssl = (...args) => stage.run('openssl', args);
  const pem = (kind, der, name) => fs.writeFileSync(file(name), openssl(kind, '-in', der, '-inform', 'DER'));

  const certificates = JSON.parse(stage.ukey(applicant, 'certificates', '--json')).certificates
    .filter((c) => c.hasKey).sort((a, b) => b.notBefore - a.notBefore);
  const cert = certificates.find((c) => c.usage.includes('sign'));
  if (!cert) throw new StageError('no certificate on the key');
  const sm2 = cert.algorithm === 'sm2';
  if (sm2 && !certificates.some((c) => c.usage.includes('encrypt'))) {
    throw new StageError('no encryption certificate on the key');
  }
  fs.mkdirSync(stage.file('proof'), { mode: 0o755 });
  fs.writeFileSync(file('certificate.der'), Buffer.from(cert.certificate, 'base64'));
  const shown = openssl('x509', '-in', file('certificate.der'), '-inform', 'DER', '-noout',
    '-subject', '-issuer', '-serial', '-dates', '-nameopt', 'utf8,sep_comma_plus_space');
  console.log(shown.trim().replace(/^/gm, '   '));
  ok(`certificate read back from the token${sm2 ? ', and the one to encrypt to beside it' : ''}`);

  const signature = path.join(applicant.home, 'signature');
  fs.writeFileSync(file('text'), randomBytes(64).toString('hex'), { mode: 0o644 });
  stage.ukey(applicant, 'sign', '--certificate', cert.id, '--format', sm2 ? 'der' : 'cms-detached',
    '--in', file('text'), '--out', signature);
  fs.writeFileSync(file('chain.pem'), ['root.cer', 'issuer.cer']
    .map((name) => openssl('x509', '-in', ca(name), '-inform', 'DER')).join(''));
  pem('x509', file('certificate.der'), 'certificate.pem');
  stage.run('curl', ['-sf', '-o', file('crl.der'), `${stage.server}/ca/crl.crl`]);
  pem('crl', file('crl.der'), 'crl.pem');
  // OpenSSL 3.0 can't check SM2 in CMS, nor in revocation lists.
  if (sm2) {
    fs.writeFileSync(file('key.pem'), openssl('x509', '-in', file('certificate.pem'), '-noout', '-pubkey'));
    openssl('dgst', '-sm3', '-verify', file('key.pem'), '-signature', signature,
      '-sigopt', 'distid:1234567812345678', file('text'));
    // The identifier is set for the first certificate of a chain only, so each is checked by itself.
    for (const name of ['root', 'issuer']) pem('x509', ca(`${name}.cer`), `${name}.pem`);
    const by = (issuer, name) => openssl('verify', '-partial_chain', '-CAfile', file(issuer),
      '-attime', stage.now(), '-vfyopt', 'distid:1234567812345678', file(name));
    by('root.pem', 'issuer.pem');
    by('issuer.pem', 'certificate.pem');
    if (openssl('crl', '-in', file('crl.pem'), '-noout', '-text').includes(cert.serial.toUpperCase())) {
      throw new StageError('the certificate is revoked');
    }
  } else {
    openssl('cms', '-verify', '-in', signature, '-inform', 'DER', '-content', file('text'), '-binary',
      '-CAfile', file('chain.pem'), '-attime', stage.now(), '-purpose', 'any', '-out', '/dev/null');
    openssl('verify', '-CAfile', file('chain.pem'), '-CRLfile', file('crl.pem'), '-crl_check', '-attime', stage.now(),
      file('certificate.pem'));
  }
  ok('signature over a fresh random text verified with openssl against the CA and its CRL');
}

// The browsers, as their people use them; each step is printed as it passes.
function drive(scenario) {
  const child = spawn(process.execPath, [path.join(root, 'tests/manual', `${scenario}.mjs`),
    path.resolve(opt.state, 'demo.json'), '--road', opt.road, '--browser', opt.browser], { stdio: 'inherit' });
  const ended = new Promise((resolve, reject) => {
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new StageError('a step of the order'))));
  });
  return { child, ended };
}

async function order(stage, scenario) {
  step = 'order';
  await scenario.ended;
  step = 'post';
  const { result } = JSON.parse(fs.readFileSync(stage.file('demo.json'), 'utf8'));
  if (!fs.existsSync(result)) return; // no key was made
  const { password } = JSON.parse(fs.readFileSync(result, 'utf8'));
  if (password) {
    await stage.post(stage.people.producer, stage.people.applicant);
    stage.remember(stage.people.applicant, password);
  }
  step = 'proof';
  prove(stage);
}

function welcome(demo) {
  const people = Object.values(demo.persons)
    .map((p) => `  ${p.title.padEnd(24)} ${p.browsers.chromium}`).join('\n');
  console.log(`
The demo is up.  ${path.join(opt.state, 'demo.json')} has everything.
  portal   ${demo.portal}
  console  ${demo.console}
  sandbox  ${demo.sandbox}   (SMS inbox, bank records, faults)
Browsers of the people, each with their own key helper:
${people}
Ctrl-C ends it.`);
}

async function main() {
  if (!Object.hasOwn(SCENARIOS, opt.scenario)) {
    console.log(`no scenario ${opt.scenario}; there are ${Object.keys(SCENARIOS).join(', ')}`);
    process.exit(2);
  }
  const stage = new Stage({ state: path.resolve(opt.state), bin: path.resolve(opt.bin), root,
    algorithm: opt.algorithm, port: Number(opt.port), ...SCENARIOS[opt.scenario] });
  let status = 0;
  const stopped = new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  let scenario = null;
  const failed = (e) => {
    console.log(`failed at ${step}: ${e instanceof StageError ? e.message : e.stack}`);
    status = 1;
  };
  try {
    const demo = await stage.start();
    ok('stage: CA, sandbox, keys of the staff, helpers of three people');
    if (opt.mode !== 'hold') {
      scenario = drive(opt.scenario);
      await Promise.race([order(stage, scenario), stopped]);
    }
    if (opt.mode !== 'exit') {
      welcome(demo);
      await stopped;
    }
  } catch (e) {
    failed(e);
  }
  scenario?.child.kill('SIGTERM');
  await stage.stop().catch(failed);
  process.exit(status);
}

await main();
