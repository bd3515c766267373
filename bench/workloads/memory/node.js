// A promise that nobody fulfils takes the place of an event.
'use strict';
const { setTimeout: sleep } = require('timers/promises');
const bench = require('../../support/bench.js');

let count = 0;

async function nap() {
    ++count;
    await sleep(3600e3);
}

async function waitFor(event) {
    ++count;
    await event;
}

async function park(n, make) {
    const tasks = Array.from({ length: n }, make);
    await new Promise(setImmediate);
    bench.finish(tasks.length, count);
}

const never = new Promise(() => {});
bench.main({ sleep: (n) => park(n, nap), event: (n) => park(n, () => waitFor(never)) });
