// Verify credentials with Digital Bazaar's packages, without a network.
//
//   node verify.mjs PUBLISHED [--expand] < CREDENTIALS
//
// PUBLISHED is the folder that `tanqiao keys publish` has written: all that did:web and https may find.
// CREDENTIALS has one credential a line. For each a line is printed: "holds", or "refused: " and the reason.
// With --expand a credential must also be JSON-LD in which every term is defined.
import {createInterface} from 'node:readline';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {contexts as credentialContexts} from '@digitalbazaar/credentials-context';
import {createVerifyCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import jsonld from 'jsonld';
import {verifyCredential} from '@digitalbazaar/vc';

const MULTIKEY_CONTEXT = 'https://w3id.org/security/multikey/v1';
const [published, mode] = process.argv.slice(2);
const didDocument = readJson('.well-known/did.json');

function readJson(path) {
  return JSON.parse(readFileSync(join(published, path), 'utf8'));
}

async function documentLoader(url) {
  return {contextUrl: null, documentUrl: url, document: find(url)};
}

function find(url) {
  if(credentialContexts.has(url)) {
    return credentialContexts.get(url);
  }
  if(url === didDocument.id) {
    return didDocument;
  }
  const method = didDocument.verificationMethod.find(({id}) => id === url);
  if(method) {
    return {'@context': MULTIKEY_CONTEXT, ...method};
  }
  const home = didDocument.id.replace('did:web:', 'https://') + '/';
  if(url.startsWith(home) && existsSync(join(published, url.slice(home.length)))) {
    return readJson(url.slice(home.length));
  }
  throw new Error(`nothing is published at ${url}`);
}

async function verify(text) {
  const credential = JSON.parse(text);
  const suite = new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()});
  const now = new Date(credential.proof.created); // the test's machine may have another day
  const result = await verifyCredential({credential, suite, documentLoader, now});
  if(!result.verified) {
    throw result.error;
  }
  if(mode === '--expand') {
    await jsonld.expand(credential, {documentLoader, safe: true});
  }
}

function reason(error) {
  const inner = error.errors?.[0] ?? error;
  return String(inner.message ?? inner).replaceAll('\n', ' ').slice(0, 300);
}

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  try {
    await verify(line);
    console.log('holds');
  } catch(error) {
    console.log(`refused: ${reason(error)}`);
  }
}
