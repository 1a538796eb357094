//! Recurrent layers through time.

calls! { "recurrent";
    lstm: |x, _| x[0].lstm(&x[1], &x[2], &x[3], &x[4])?;
    gru: |x, _| x[0].gru(&x[1], &x[2], &x[3])?;
    rnn_tanh: |x, _| x[0].rnn_tanh(&x[1], &x[2], &x[3])?;
    rnn_relu: |x, _| x[0].rnn_relu(&x[1], &x[2], &x[3])?;
}
