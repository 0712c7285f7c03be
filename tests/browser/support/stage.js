/** What a file of browser tests needs: a cluster, a browser, and people who use the page. */

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { Cluster } from "../../javascript/support/cluster.js";
import { Listener } from "../../javascript/support/listening.js";
import { Person, launch } from "./browser.js";

/**
 * One cluster and one browser for all tests of a file. After each test the people and listeners
 * leave, and no browser may have complained.
 */
export class Stage {
  cluster = null;
  browser = null;
  #here = [];

  /** `settings`: of the cluster. `prepare(cluster)`: what is to be done before the first test. */
  constructor({ settings, prepare } = {}) {
    // A second `before` of the file would not wait for this one, so `prepare` is called here.
    before(async () => {
      [this.cluster, this.browser] = await Promise.all([Cluster.start(settings), launch()]);
      await prepare?.(this.cluster);
    });
    after(async () => {
      await this.browser?.close();
      await this.cluster?.stop();
    });
    afterEach(async () => {
      Listener.closeAll();
      for (const person of this.#here.splice(0)) {
        await person.goesAway();
        assert.deepEqual(person.problems, [], `${person.name}'s browser complained`);
      }
    });
  }

  /** A person who signs in on the page of a gateway, or of a URL. */
  comes = async (at, name, options) => {
    const url = typeof at === "number" ? this.cluster.gateway(at) : at;
    return this.welcome(await Person.comes(this.browser, url, name, options));
  };

  /** Let a person leave after the test. */
  welcome(person) {
    this.#here.push(person);
    return person;
  }
}
