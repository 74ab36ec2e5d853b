// What the parts of the Data Provider share.

import type { Config } from './config.js';
import { Consents } from './consents.js';
import { ReplayGuard, Signer } from './jws.js';
import { Paynet } from './paynet.js';

export interface Dp {
  config: Config;
  consents: Consents;
  paynet: Paynet;
  signer: Signer;
  replay: ReplayGuard;
}

export function createDp(config: Config): Dp {
  const signer = new Signer(config);
  return { config, signer, consents: new Consents(config.stateFile), paynet: new Paynet(config, signer), replay: new ReplayGuard() };
}
