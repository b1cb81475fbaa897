//! What an attacker, a pedant and bad luck would try: the framework's own logic at its edges.

mod builder;
mod honest;
mod hostile;
mod luck;
mod nodes;
mod shop;
mod transports;
