'use strict';
const bench = require('../../support/bench.js');

const depth = 1000;

async function next(value) {
    return value + 1;
}

async function child(n) {
    let sum = 0;
    for (let i = 0; i < n; ++i) sum += await next(i & 7);
    return sum;
}

async function recurse(below) {
    if (below === 0) return 0;
    return (await recurse(below - 1)) + 1;
}

async function deep(n) {
    let sum = 0;
    for (let i = 0; i < n; i += depth) sum += await recurse(depth);
    return sum;
}

bench.main({ child, deep });
