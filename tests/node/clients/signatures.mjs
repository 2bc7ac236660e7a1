// Sign and verify requests with the package http-message-signatures, which shares no code with Tanqiao.
//
//   node signatures.mjs < QUESTIONS
//
// Each line asks one thing, in JSON: {"sign": MESSAGE, "fields", "values", "private"} is answered by the signed
// headers, {"verify": MESSAGE, "fields", "public"} by {"holds": true} or {"holds": false, "why"}. Keys are PEM.
import {createInterface} from 'node:readline';

import {createSigner, createVerifier, httpbis} from 'http-message-signatures';

const NAMES = ['created', 'expires', 'nonce', 'keyid', 'tag'];

async function sign({sign: message, fields, values, private: pem}) {
  const signer = createSigner(pem, 'ed25519', values.keyid);
  const paramValues = {
    ...values, created: new Date(values.created * 1000), expires: new Date(values.expires * 1000)
  };
  const config = {key: signer, name: values.tag, params: NAMES, paramValues, fields};
  return (await httpbis.signMessage(config, message)).headers;
}

async function verify({verify: message, fields, public: pem}) {
  try {
    const key = {id: 'any', algs: ['ed25519'], verify: createVerifier(pem, 'ed25519')};
    const config = {keyLookup: async () => key, requiredFields: fields, requiredParams: NAMES};
    return {holds: await httpbis.verifyMessage(config, message) === true};
  } catch(error) {
    return {holds: false, why: error.message};
  }
}

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  const question = JSON.parse(line);
  console.log(JSON.stringify(await ('sign' in question ? sign : verify)(question)));
}
