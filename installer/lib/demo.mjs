// Sets the stage, drives one order end to end, and stays up.  Called by installer/demo.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stage, StageError } from './stage.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { values: opt } = parseArgs({
  options: {
    mode: { type: 'string' }, state: { type: 'string' }, bin: { type: 'string' },
    algorithm: { type: 'string' },
  },
});

let step = 'stage';
const ok = (what) => console.log(`ok ${what}`);

// The new certificate as it stands on the key, and a signature by the key that openssl accepts.
function prove(stage, order) {
  const { applicant } = stage.people;
  const text = (name) => path.join(applicant.home, name);
  const ca = (name) => path.join(stage.caDir, name);
  const openssl = (...args) => stage.run('openssl', args);

  const list = JSON.parse(stage.ukey(applicant, 'certificates', '--json')).certificates;
  const cert = list.find((c) => c.serial === order.certificate.serial);
  if (!cert) throw new StageError(`no certificate ${order.certificate.serial} on the key`);
  fs.writeFileSync(text('certificate.der'), Buffer.from(cert.certificate, 'base64'));
  const shown = openssl('x509', '-in', text('certificate.der'), '-inform', 'DER', '-noout',
    '-subject', '-issuer', '-serial', '-dates', '-nameopt', 'utf8,sep_comma_plus_space');
  console.log(shown.trim().replace(/^/gm, '   '));
  ok('certificate read back from the token');

  fs.writeFileSync(text('text'), randomBytes(64).toString('hex'), { mode: 0o644 });
  stage.ukey(applicant, 'sign', '--certificate', cert.id, '--format', 'cms-detached',
    '--in', text('text'), '--out', text('signature.p7s'));
  const chain = openssl('x509', '-in', ca('root.cer'), '-inform', 'DER')
    + openssl('x509', '-in', ca('issuer.cer'), '-inform', 'DER');
  fs.writeFileSync(text('chain.pem'), chain);
  stage.run('curl', ['-sf', '-o', text('crl.der'), `${stage.origin}/ca/crl.crl`]);
  fs.writeFileSync(text('crl.pem'), openssl('crl', '-in', text('crl.der'), '-inform', 'DER'));
  openssl('cms', '-verify', '-in', text('signature.p7s'), '-inform', 'DER', '-content', text('text'),
    '-binary', '-CAfile', text('chain.pem'), '-purpose', 'any', '-out', '/dev/null');
  fs.writeFileSync(text('certificate.pem'), openssl('x509', '-in', text('certificate.der'), '-inform', 'DER'));
  openssl('verify', '-CAfile', text('chain.pem'), '-CRLfile', text('crl.pem'), '-crl_check',
    text('certificate.pem'));
  ok('signature over a fresh random text verified with openssl against the CA and its CRL');
}

async function order(stage, demo) {
  const { newUnit } = await import('../../tests/manual/new-unit.mjs');
  const done = await newUnit(demo, {
    ok: (id, what) => { step = id; ok(`${id} ${what}`); },
    remember: (id, pin) => stage.remember(stage.people[id], pin),
    post: (serial) => stage.post(stage.people.producer, stage.people.applicant, serial),
  });
  step = 'proof';
  prove(stage, done);
}

function welcome(demo) {
  const people = Object.values(demo.people)
    .map((p) => `  ${p.title.padEnd(24)} ${p.browser}`).join('\n');
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
  const stage = new Stage({ state: path.resolve(opt.state), bin: path.resolve(opt.bin), root,
    algorithm: opt.algorithm });
  let status = 0;
  const stopped = new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    const demo = await stage.start();
    ok('stage: CA, sandbox, keys of the staff, helpers of three people');
    if (opt.mode !== 'hold') await Promise.race([order(stage, demo), stopped]);
    if (opt.mode !== 'exit') {
      welcome(demo);
      await stopped;
    }
  } catch (e) {
    console.log(`failed at ${step}: ${e instanceof StageError ? e.message : e.stack}`);
    status = 1;
  } finally {
    await stage.stop();
  }
  process.exit(status);
}

await main();
