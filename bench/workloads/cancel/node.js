// An AbortController for each. A function that has not begun cannot be stopped: no form for that.
'use strict';
const { setTimeout: sleep } = require('timers/promises');
const bench = require('../../support/bench.js');

let cleanedUp = 0;

async function nap(signal) {
    await sleep(3600e3, undefined, { signal });
}

async function napAndCleanUp(signal) {
    try {
        await sleep(3600e3, undefined, { signal });
    } catch (error) {
        ++cleanedUp;
        throw error;
    }
}

async function cancelAll(n, body) {
    const controllers = Array.from({ length: n }, () => new AbortController());
    const tasks = controllers.map((controller) => body(controller.signal));
    await new Promise(setImmediate);
    bench.startClock();
    for (const controller of controllers) controller.abort();
    const results = await Promise.allSettled(tasks);
    bench.stopClock();
    return body === napAndCleanUp ? cleanedUp : results.filter((result) => result.status === 'rejected').length;
}

bench.main({ begun: (n) => cancelAll(n, nap), handled: (n) => cancelAll(n, napAndCleanUp) });
