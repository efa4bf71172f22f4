mod bad_input;
mod login;
mod logout;
mod profile;
mod refresh;
mod register;
mod throttle;
mod two_factor;
