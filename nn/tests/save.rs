//! Files: what PyTorch and NumPy write is read, what is written they read, and what is damaged is told.

mod damage;
mod exchange;
mod models;
mod state;
