'use strict';
const bench = require('../../support/bench.js');

const callbacks = 1000;

function repeat(n) {
    let count = 0;
    return new Promise((resolve) => {
        const called = (left) => {
            ++count;
            if (left > 1) setImmediate(called, left - 1);
            else if (count % callbacks === 0) resolve(count);
        };
        for (let i = 0; i < callbacks; ++i) setImmediate(called, n / callbacks);
    });
}

bench.main({ repeat });
