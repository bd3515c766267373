'use strict';
const { setTimeout: sleep } = require('timers/promises');
const bench = require('../../support/bench.js');

let count = 0;

async function nap(delay) {
    await sleep(delay);
    ++count;
}

async function sleepers(n) {
    const random = new bench.Random();
    await Promise.all(Array.from({ length: n }, () => nap(random.below(1000))));
    return count;
}

bench.main({ sleepers });
