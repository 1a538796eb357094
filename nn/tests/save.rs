//! Files: what PyTorch and NumPy write is read, what is written they read, and what is damaged is told.

#[path = "save/damage.rs"]
mod damage;
#[path = "save/exchange.rs"]
mod exchange;
#[path = "save/models.rs"]
mod models;
#[path = "save/state.rs"]
mod state;
