// One number at a time: for rows whose length is not a multiple of four.
alias Elem = f32;
