// setImmediate() is a turn of the loop; a promise that is fulfilled already would not leave it.
'use strict';
const bench = require('../../support/bench.js');

const tasks = 1000;
let count = 0;

async function giveWay(times) {
    for (let i = 0; i < times; ++i) {
        await new Promise(setImmediate);
        ++count;
    }
}

async function one(n) {
    const timer = setTimeout(() => {}, 3600e3);
    await giveWay(n);
    clearTimeout(timer);
    return count;
}

async function many(n) {
    await Promise.all(Array.from({ length: tasks }, () => giveWay(n / tasks)));
    return count;
}

bench.main({ one, many });
