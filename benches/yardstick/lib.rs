//! Nothing: this package is there for its benches, each beside a peer that the product itself does not use.
